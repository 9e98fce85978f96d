"""Machines that nobody knew: they ask, are listed, and boot once they are accepted."""

import json
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from lambda_matchbox.machines.history import Record
from lambda_matchbox.machines.history_stores import History
from matchboxctl.directory.history_file import DirectoryHistory
from matchboxctl.main import main
from tests.boot.clients import CLIENTS, Client, powered_on
from tests.boot.dhcp_network import HOST
from tests.boot.exchanges import LONGEST_WAIT
from tests.boot.fleet import identity
from tests.boot.installations import GROUP, SECRET, serving_with_short_waits, write_installation
from tests.boot.networks import Servers

pytestmark = [pytest.mark.boot, pytest.mark.nightly]

MACHINE = identity(23)
BY_CLIENT = pytest.mark.parametrize(("client", "arch"), [("bios-ipxe-old", "i386"), ("arm64", "arm64")])


@BY_CLIENT
def test_machine_that_waits_boots_by_itself(client: str, arch: str, tmp_path: Path) -> None:
    booting, data, scratch = CLIENTS[client], tmp_path / "data", tmp_path / "machine"
    scratch.mkdir()
    data.mkdir()
    with serving_with_short_waits(data) as serve:
        write_profile(data, booting, {"approve": True}, serve.port)
        with powered_on(booting, Servers(serve.port), MACHINE, scratch) as machine:
            machine.wait_for("waits for approval")
            assert (arch, GROUP, "waiting") == facts(listed(data))
            accept(data)
            result = machine.result()
    assert SECRET == result.configuration, result.console


@BY_CLIENT
def test_machine_that_got_nothing_boots_at_its_next_reset(client: str, arch: str, tmp_path: Path) -> None:
    booting, data = CLIENTS[client], tmp_path / "data"
    data.mkdir()
    with serving_with_short_waits(data) as serve:
        write_profile(data, booting, {}, serve.port)
        (data / "groups" / f"{GROUP}.json").unlink()
        with powered_on(booting, Servers(serve.port), MACHINE, scratch(tmp_path, "first")):
            assert (arch, "", "unknown") == facts(listed(data))
        accept(data)
        with powered_on(booting, Servers(serve.port), MACHINE, scratch(tmp_path, "second")) as machine:
            result = machine.result()
    assert SECRET == result.configuration, result.console


def scratch(directory: Path, name: str) -> Path:
    (directory / name).mkdir()
    return directory / name


def write_profile(data: Path, client: Client, policy: dict[str, object], port: int) -> None:
    """An installation whose configuration needs no token."""
    write_installation(data, client, policy, port)
    file = data / "profiles" / f"{GROUP}.json"
    file.write_text(file.read_text().replace("${base}", f"http://{HOST}:{port}/").replace("&token=${token}", ""))


def listed(data: Path) -> Record:
    """What the history knows of the machine, as soon as it has asked."""

    def found() -> Record | None:
        with closing(DirectoryHistory(data)) as store:
            return History(store).machine(f"mac:{MACHINE.mac}")

    return awaited(found)


def awaited(found: Callable[[], Record | None]) -> Record:
    end = time.monotonic() + LONGEST_WAIT
    while (record := found()) is None:
        assert time.monotonic() < end, "it never asked"
        time.sleep(0.5)
    return record


def facts(record: Record) -> tuple[str, str, str]:
    assert (MACHINE.mac, MACHINE.uuid, MACHINE.serial) == record.identities
    return record.fact("arch"), record.fact("group"), record.state


def accept(data: Path) -> None:
    arguments = ["machine", "accept", MACHINE.mac, "--profile", GROUP, "--data-path", str(data)]
    assert 0 == main(arguments)
    group = json.loads((data / "groups" / f"{MACHINE.mac.replace(':', '-')}.json").read_text())
    assert {"mac": MACHINE.mac} == group["selector"]
