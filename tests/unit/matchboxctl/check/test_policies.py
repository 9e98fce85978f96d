"""`check` of machines whose group has a boot policy: it says what stops them, and is no delivery."""

from contextlib import closing
from pathlib import Path

import pytest

from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.state import MachineState, approved, held
from matchboxctl.directory.machine_states import DirectoryMachines
from tests.support.data_files import write_files
from tests.unit.matchboxctl.check.checked import Checked
from tests.unit.matchboxctl.check.served import served

pytestmark = pytest.mark.system

MAC, UUID = "52:54:00:00:00:01", "4c4c4544-0038-4410-8052-b3c04f4b5931"
CONFIG = "cloud-config-url=${base}cloud?mac=${mac:hexhyp}&token=${token}"
PLAIN_CONFIG = "cloud-config-url=${cwduri}cloud?mac=${mac:hexhyp}"


def data(root: Path, boot: object, *args: str, selector: object = None) -> Path:
    files: dict[str, object] = {
        "groups/workers.json": {"profile": "p", "selector": selector or {"mac": MAC}, "boot": boot},
        "groups/others.json": {"profile": "p", "selector": {"uuid": UUID}, "boot": {"once": True}},
        "profiles/p.json": {"boot": {"kernel": "/assets/k", "args": args}, "cloud_id": "c"},
        "assets/k": "kernel",
        "cloud/c": "#cloud-config\n",
    }
    write_files(root, files)
    return root


def states(root: Path) -> list[MachineState]:
    with closing(DirectoryMachines(root)) as machines:
        return list(machines.all())


def write(root: Path, state: MachineState) -> None:
    with closing(DirectoryMachines(root)) as machines:
        machines.write(None, state)


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Checked:
    return Checked(capsys)


def test_waiting_machine_is_named_as_such(tmp_path: Path, check: Checked) -> None:
    with served(data(tmp_path, {"approve": True, "once": True})) as url:
        reason = check.failure(url, "--label", f"mac={MAC}")
        assert "this machine waits for approval: matchboxctl machine approve 52-54-00-00-00-01" == reason
        write(tmp_path, approved(MachineState(Identities(MAC)), 1))
        assert 0 == check(url, "--label", f"mac={MAC}")[0]
    assert [None] == [state.delivery for state in states(tmp_path)]


@pytest.mark.parametrize("boot", [{"token": True}, {"once": True, "token": True}])
def test_configuration_against_a_token_is_there_and_not_delivered(tmp_path: Path, check: Checked, boot: object) -> None:
    with served(data(tmp_path, boot, CONFIG)) as url:
        code, lines = check(url, "--label", f"mac={MAC}")
    (line,) = [line for line in lines if "cloud-config-url" in line]
    assert line.startswith(
        "ok     cloud-config-url /cloud?mac=52-54-00-00-00-01&token=…  T  there, not fetched: group "
    )
    assert line.endswith("group workers would count it as delivered to this machine")
    assert (0, []) == (code, states(tmp_path))


def test_configuration_of_a_machine_that_installs_once_is_not_delivered(tmp_path: Path, check: Checked) -> None:
    """Neither the group's, nor that of another group which the address selects, nor metadata."""
    with served(data(tmp_path, {"once": True}, PLAIN_CONFIG, "x=${cwduri}metadata?mac=${mac:hexhyp}")) as url:
        code, lines = check(url, "--label", f"mac={MAC}")
    assert 2 == sum("there, not fetched: group workers" in line for line in lines)
    assert (0, []) == (code, states(tmp_path))
    with served(data(tmp_path, {"once": True}, f"cloud-config-url=${{cwduri}}cloud?uuid={UUID}")) as url:
        assert "the labels of this address (uuid) select another group" in check.failure(url, "--label", f"mac={MAC}")
    assert [] == states(tmp_path)


def test_configuration_without_the_token_is_refused(tmp_path: Path, check: Checked) -> None:
    with served(data(tmp_path, {"token": True}, PLAIN_CONFIG)) as url:
        reason = check.failure(url, "--label", f"mac={MAC}")
    assert "the boot policy's verdict is refuse: the request has no token" == reason


@pytest.mark.parametrize("on_disk", ["exit", "sanboot", "404"])
def test_installed_machine_boots_from_its_disk(tmp_path: Path, check: Checked, on_disk: str) -> None:
    write(tmp_path, MachineState(Identities(MAC), installed=1))
    with served(data(tmp_path, {"once": True, "on_disk": on_disk}, PLAIN_CONFIG)) as url:
        code, lines = check(url, "--label", f"mac={MAC}")
    said = (
        "this machine is installed and boots from its disk; matchboxctl machine arm 52-54-00-00-00-01 lets it install"
    )
    assert (0, True) == (code, any(said in line for line in lines))


def test_refused_machine_has_its_reason(tmp_path: Path, check: Checked) -> None:
    write(tmp_path, held(MachineState(Identities(MAC)), 1))
    with served(data(tmp_path, {"once": True})) as url:
        assert "this machine is refused: it is held" == check.failure(url, "--label", f"mac={MAC}")
    with served(data(tmp_path, {"from": ["192.0.2.0/24"]}, selector={"os": "a"})) as url:
        assert "this machine is refused: the request names no" in check.failure(url, "--label", "os=a")


def test_configurations_that_are_no_delivery_are_read(tmp_path: Path, check: Checked) -> None:
    write(tmp_path, approved(MachineState(Identities(MAC)), 1))
    with served(data(tmp_path, {"approve": True}, PLAIN_CONFIG)) as url:
        code, lines = check(url, "--label", f"mac={MAC}")
    assert (0, True) == (code, any(line.endswith("T  cloud-config, 14 bytes") for line in lines))
