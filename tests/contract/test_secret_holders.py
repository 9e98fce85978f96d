"""The modules that may have the value of a secret in their hands: no other has, whatever is requested or commanded."""

import base64
import sys
import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest

from lambda_matchbox.aws.clients.sigv4 import lambda_credentials
from lambda_matchbox.web.json_log import JsonLog
from lambda_matchbox.web.metrics import RequestMetrics
from lambda_matchbox.web.settings import Settings
from lambda_matchbox.web.wiring import app, stores
from matchboxctl.serve.backends import Directories, directory_backend
from tests.contract.secret_commands import secret_commands
from tests.rigs.service import Service
from tests.support.canaries import CANARY, ROUTES, SECRETS, boot_all, by_event, by_http, mac_of, traces, write_data
from tests.support.consoles import console
from tests.support.http_serving import http_serving
from tests.support.long_timeout import long_timeout
from tests.support.openpgp.keys import signatures
from tests.support.resource_commands import ResourceCommands
from tests.support.secret_holders import Holders
from tests.support.talos_files import nodes_file, role_file

LOOKED_AT = r"(lambda_matchbox|boot_api|signed_api|asset_sync|boot_history|matchboxctl)\b"
EXCEPT = r"lambda_matchbox\.(golang|gotemplate|ignition)\b"
"""The ground floor: what a template renders, and its values, go through all of it."""

STORES = {
    "lambda_matchbox.aws.clients.http_client",
    "lambda_matchbox.aws.clients.http_connection",
    "lambda_matchbox.aws.clients.json_service",
    "lambda_matchbox.aws.clients.parameter_store",
    "lambda_matchbox.aws.clients.secrets_manager",
    "lambda_matchbox.aws.secrets",
    "lambda_matchbox.secrets.cache",
    "matchboxctl.directory.secrets",
}
TEMPLATES = {
    "lambda_matchbox.answers.rendered",
    "lambda_matchbox.secrets.documents",
    "lambda_matchbox.secrets.function",
}
CONFIGURATIONS = {
    "lambda_matchbox.answers.butane",
    "lambda_matchbox.answers.cloud",
    "lambda_matchbox.answers.generic",
    "lambda_matchbox.answers.ignition",
    "lambda_matchbox.http",
    "lambda_matchbox.signing.key",
    "lambda_matchbox.web.alb",
    "lambda_matchbox.web.app",
    "lambda_matchbox.web.delivery",
    "lambda_matchbox.web.gate",
    "lambda_matchbox.web.routes",
    "lambda_matchbox.web.signatures",
    "matchboxctl.serve.http_server",
    "matchboxctl.serve.usual_response",
}
"""From what is rendered to the machine. None of these logs a response."""

COMMANDS = {
    # `secret get --reveal`.
    "matchboxctl.cli.output",
    "matchboxctl.cli.yaml_dumper",
    "matchboxctl.secrets.commands",
    "matchboxctl.secrets.directory_secrets",
    "matchboxctl.secrets.parameter_store",
    "matchboxctl.secrets.values",
    # `import --secrets`, `export --secrets`.
    "matchboxctl.transfer.secrets",
    # `talos`, whose operators' files have values.
    "matchboxctl.netboot.placeholders",
    "matchboxctl.render.secret_masks",
    "matchboxctl.talos.changes",
    "matchboxctl.talos.cluster",
    "matchboxctl.talos.cluster_secrets",
    "matchboxctl.talos.importing",
    "matchboxctl.talos.machine_config",
    "matchboxctl.talos.rules",
    "matchboxctl.talos.secret_values",
    "matchboxctl.talos.template",
    "matchboxctl.talos.verify",
}
HOLDERS = STORES | TEMPLATES | CONFIGURATIONS | COMMANDS


@contextmanager
def in_directory(data: Path) -> Iterator[int]:
    """The port of the server of a directory, with signatures and a history."""
    log = JsonLog("debug", sys.stderr)
    backend = directory_backend(Directories(data, data / "assets"), log, signatures("ed25519"), history_days=1)
    with (
        closing(backend.after_fork.__self__),  # type: ignore[attr-defined]
        backend.background,
        http_serving(backend.app) as port,
    ):
        yield port


def quiet(commands: ResourceCommands, *arguments: str, stdin: bytes = b"") -> None:
    ended = commands.run(*arguments, stdin=stdin)
    assert not traces(ended.out + ended.err), (arguments, ended)


def use(commands: ResourceCommands, names: Iterable[str]) -> None:
    """Set and read secrets."""
    for name in names:
        for _ in range(2):
            quiet(commands, "secret", "set", name, "-f", "-", stdin=SECRETS[name].encode())
    assert traces(commands.run("secret", "get", "join/token", "--reveal").out)
    quiet(commands, "secret", "describe", "join/token", "-o", "json")
    quiet(commands, "secret", "used")


def use_in_templates(commands: ResourceCommands) -> None:
    quiet(commands, "validate")
    for case in ("good", "unknown"):
        for kind in ("ignition", "cloud", "generic"):
            quiet(commands, "render", kind, "--label", f"case={case}")
    key = base64.b64encode(CANARY.encode() * 2).decode()
    for role in ("controlplane", "worker"):
        commands.file(f"{role}.yaml", role_file(role, token=f"abcdef.{CANARY}", secret=key))
    nodes = commands.file(
        "nodes.csv", nodes_file({"mac": "52:54:00:00:01:01", "hostname": "a", "role": "controlplane"})
    )
    files = [str(commands.files / f"{role}.yaml") for role in ("controlplane", "worker")]
    for _ in range(2):
        quiet(commands, "talos", "import", *files, "--nodes", nodes, "--cluster", "c")
    quiet(commands, "talos", "verify", "--cluster", "c")
    quiet(commands, "talos", "secrets", "--cluster", "c", "--export", str(commands.files / "bundle.yaml"))


def test_only_the_listed_modules_hold_values(
    tmp_path: Path,
    moto_server: Service,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    holders = Holders(LOOKED_AT, EXCEPT)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    commands = secret_commands(tmp_path / "a/files", monkeypatch, capsysbinary)
    data = write_data(tmp_path / "a/data")
    with holders.traced():
        use(commands, SECRETS)
        use_in_templates(commands)
        with in_directory(data) as port:
            boot_all(by_http(port), ["good", "files", "unknown"])
        with console(data) as running:
            page = running.browser().get(f"/machines/{mac_of(0)}")
            assert ("/ignition 200" in page.text, traces(page.html)) == (True, [])
    monkeypatch.delenv("MATCHBOX_DATA_PATH")
    commands = secret_commands(tmp_path / "b/files", monkeypatch, capsysbinary, moto_server)
    monkeypatch.setenv("MATCHBOX_SECRETS_MANAGER", "*")
    with closing(moto_server.client("secretsmanager")) as client:
        client.create_secret(Name=(name := f"canary-{uuid.uuid4()}"), SecretString=CANARY)
    with holders.traced(), long_timeout():
        quiet(commands, "import", str(data), "--secrets")
        use(commands, ["join/token"])
        assert traces(commands.run("secret", "get", f"sm:{name}", "--reveal").out)
        quiet(commands, "export", str(tmp_path / "exported"), "--secrets")
        settings = Settings.from_environment({**commands.environment, "MATCHBOX_SECRETS_MANAGER": "*"})
        credentials = partial(lambda_credentials, commands.environment)
        count = RequestMetrics("matchbox").publish
        on_aws = app(
            settings, stores(settings, credentials), JsonLog("debug", sys.stderr), count, signatures("ed25519")
        )
        boot_all(by_event(on_aws.handle), ["good"])
    assert {f"/{route}" for route in ROUTES} == on_aws._routes.machine_routes.keys()
    others = {module: place for module, place in holders.found.items() if module not in HOLDERS}
    assert others == {}
    assert HOLDERS - holders.found.keys() == set()


@pytest.mark.parametrize(
    "source",
    [
        "def use(read): take(read())\ndef take(value): pass",
        "def use(read): return len(read())",
        "def use(read): return [{'a': read()}] and None",
        "def use(read): take(ValueError('reason', read()))\ndef take(error): pass",
        "def use(read): return (lambda value: lambda: value)(read()) and None",
        "class Kept:\n    def keep(self, get): self.kept = dict(a=get())\ndef use(read): Kept().keep(read)",
    ],
)
def test_a_value_in_another_module_is_noticed(source: str) -> None:
    modules = {}
    for name, text in {"read": "def read(): return VALUE", "use": source}.items():
        module = ModuleType(f"matchboxctl.{name}")
        module.__dict__["VALUE"] = f"token={CANARY}"
        exec(compile(text, name, "exec"), module.__dict__)
        modules[name] = module
    holders = Holders(LOOKED_AT, EXCEPT)
    with holders.traced():
        modules["use"].use(modules["read"].read)
    assert holders.found.keys() == {"matchboxctl.read", "matchboxctl.use"}
