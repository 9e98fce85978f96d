"""The values of secrets leave no trace in logs, metrics, stores, other responses, and what commands print."""

import os
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from lambda_matchbox.aws.table_and_bucket import create_history_table
from matchboxctl.store.mode import chosen_store
from tests.contract.secret_commands import on_moto
from tests.rigs.stores import Stores, new_stores
from tests.support.canaries import CASES, DELIVERED, SECRETS, Reply, boot_all, mac_of, traces, write_data
from tests.support.consoles import Browser, console
from tests.support.data_files import write_files
from tests.support.openpgp.keys import PASSPHRASE, path_of
from tests.support.resource_commands import ResourceCommands
from tests.support.rpc_client import ANYWHERE, connected, files_in, rpc_port
from tests.support.serving import LIMIT, started

LOCAL = (
    "--address",
    "127.0.0.1:0",
    "--metrics-address",
    "127.0.0.1:0",
    "--log-level",
    "debug",
    "--processes",
    "1",
    *ANYWHERE,
)
KINDS = ("ignition", "cloud", "generic")
DOCUMENTS = (("groups", ""), ("profiles", ""), *(("templates", f"{kind}/") for kind in KINDS))


class Place(NamedTuple):
    """A data directory or stores with the cases and their secrets, and the commands on it."""

    commands: ResourceCommands
    stores: Stores | None


@pytest.fixture(params=["directory", pytest.param("stores", marks=pytest.mark.real)])
def place(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> Place:
    (files := tmp_path / "files").mkdir()
    data, stores = write_data(tmp_path / "data"), None
    if request.param == "directory":
        environment = {"MATCHBOX_DATA_PATH": str(data)}
    else:
        stores = new_stores(*map(request.getfixturevalue, ("dynamodb_local", "versitygw")))
        environment = {
            **stores.environment(),
            **on_moto(request.getfixturevalue("moto_server")),
            "MATCHBOX_SECRETS": f"/matchbox/{stores.name}",
            "MATCHBOX_HISTORY_TABLE": f"{stores.name}-history",
        }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    commands = ResourceCommands(files, capsysbinary, monkeypatch, environment, None if stores else data)
    if stores is not None:
        stores.create()
        with closing(stores.tables.client("dynamodb")) as dynamodb:
            create_history_table(dynamodb, f"{stores.name}-history")
        write_files(data, {f"secrets/{name}": value for name, value in SECRETS.items()})
        assert quiet(commands, "import", str(data)) == 0
    return Place(commands, stores)


def quiet(commands: ResourceCommands, *arguments: str, stdin: bytes = b"") -> int:
    """The exit code of a command, which shows no value."""
    ended = commands.run(*arguments, stdin=stdin)
    assert not traces(ended.out + ended.err), (arguments, ended)
    return ended.code


def set_all(commands: ResourceCommands) -> None:
    for name, value in SECRETS.items():
        quiet(commands, "secret", "set", name, "-f", "-", stdin=value.encode())
    assert traces(commands.run("secret", "get", "join/token", "--reveal").out)


def stored(place: Place) -> Iterator[tuple[str, bytes]]:
    """All that the place holds beside its secrets, with names."""
    if place.stores is None:
        data = Path(place.commands.environment["MATCHBOX_DATA_PATH"])
        for file in data.rglob("*"):
            if file.is_file() and file.relative_to(data).parts[0] != "secrets":
                yield str(file), file.read_bytes()
    else:
        yield from place.stores.contents(f"{place.stores.name}-history")


def export(commands: ResourceCommands) -> None:
    """Copy everything but secrets, and what would be copied with them."""
    to = commands.files / "exported"
    for flags in (["--machines"], ["--secrets", "--dry-run"]):
        assert quiet(commands, "export", str(to), *flags) == 0
    found = {file: traces(file.read_bytes()) for file in to.rglob("*") if file.is_file()}
    assert {file: places for file, places in found.items() if places} == {}
    assert len(found) > len(CASES)
    quiet(commands, "fsck")


def check_stored(place: Place) -> None:
    found = dict(stored(place))
    assert {name: traces(content) for name, content in found.items() if traces(content)} == {}
    # The machines of the boots are in the history.
    assert any(mac_of(0).encode() in content for content in found.values())


def boot(place: Place, log_format: str) -> None:
    """All requests to a running `serve`, and all commands meanwhile."""
    files = files_in(place.commands.files)
    flags = (*LOCAL, *files.flags, "--key-ring-path", str(path_of("ed25519")), "--log-format", log_format)
    environment = {**os.environ, "MATCHBOX_PASSPHRASE": PASSPHRASE}
    with started(*flags, environment=environment) as serve:

        def send(method: str, target: str, headers: Mapping[str, str]) -> Reply:
            agent = headers.get("user-agent", "curl/8.5.0")
            others = {name: value for name, value in headers.items() if name != "user-agent"}
            return Reply(*serve.get(target, agent, method, **others))

        delivered = boot_all(send)
        assert {name: delivered.get(name, 0) for name in DELIVERED} == DELIVERED
        [line] = [line for line in serve.startup_banner if line.startswith("metrics at ")]
        with urllib.request.urlopen(line.removeprefix("metrics at "), timeout=LIMIT) as metrics:
            assert not traces(metrics.read())
        with connected(rpc_port(serve), files) as client:
            for name in CASES:
                labels = {"labels": {"case": name}}
                responses = [client.call(method, {"id": name}) for method in ("Groups/GroupGet", "Profiles/ProfileGet")]
                responses += [
                    client.call(method, {"name": name}) for method in ("Ignition/IgnitionGet", "Generic/GenericGet")
                ]
                responses += [client.call(method, labels) for method in ("Select/SelectGroup", "Select/SelectProfile")]
                assert all(one.code == "OK" for one in responses), responses
                assert not traces(repr(responses))
            assert not traces(repr([client.ok(method) for method in ("Groups/GroupList", "Profiles/ProfileList")]))
        await_history(place.commands)
        show_all(place.commands, f"http://127.0.0.1:{serve.port}")
        check_stored(place)
        serve.end()
        written = "\n".join([*serve.startup_banner, *serve.errors])
    assert sum("/ignition" in line for line in written.splitlines()) > len(CASES)
    assert not traces(written)


def await_history(commands: ResourceCommands) -> None:
    """Wait until the history has the machine of the last case: it is written after the responses."""
    end = time.monotonic() + LIMIT
    while commands.run("machine", "history", mac_of(len(CASES) - 1)).code != 0:
        assert time.monotonic() < end
        time.sleep(0.1)


def show_all(commands: ResourceCommands, url: str) -> None:
    """Every command that shows documents, machines, or what they would get."""
    for name in CASES:
        for kind in ("group", "profile", *KINDS):
            assert quiet(commands, kind, "get", name) == 0
        for route in (*KINDS, "metadata", "ipxe"):
            for flags in (["--show-secrets"], ["-o", "json"]):
                quiet(commands, "render", route, "--label", f"case={name}", *flags)
        quiet(commands, "check", url, "--label", f"case={name}", "--label", f"mac={mac_of(0)}")
    quiet(commands, "check", url, "--all", "-o", "json")
    for kind in ("group", "profile", *KINDS, "secret"):
        assert quiet(commands, kind, "list", "-o", "yaml") == 0
    for command in ("list", "describe", "history"):
        for output in ("table", "json"):
            machine = [] if command == "list" else [mac_of(0)]
            assert quiet(commands, "machine", command, *machine, "-o", output) == 0
    quiet(commands, "validate", "-o", "json")
    quiet(commands, "secret", "used")
    with console(chosen_store(os.environ.get("MATCHBOX_DATA_PATH", ""))) as running:
        show_console(running.browser())


def show_console(browser: Browser) -> None:
    """Every page of the console, on every machine."""
    machines = [f"/machines/{mac_of(number)}" for number in range(len(CASES))]
    documents = [f"/{kind}/{prefix}{name}" for name in CASES for kind, prefix in DOCUMENTS]
    which = [f"/which?labels=case%3D{name}" for name in CASES]
    for target in (
        "/",
        "/boots",
        "/live/machines",
        "/health",
        "/live/health",
        "/live/boots",
        "/groups",
        "/profiles",
        "/templates",
        "/live/groups?name=good",
        "/images",
        *machines,
        *(f"/live{path}" for path in machines),
        *documents,
        *which,
    ):
        page = browser.get(target)
        assert not traces(page.html + str(page.headers)), target
    assert "/ignition 200" in browser.get(f"/machines/{mac_of(0)}").text


def test_values_leave_no_trace(place: Place) -> None:
    set_all(place.commands)
    boot(place, "text" if place.stores is None else "json")
    if place.stores is not None:
        export(place.commands)
    check_stored(place)
