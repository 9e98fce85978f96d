"""Two machines, one of which names the other's identities, from another address."""

from contextlib import closing
from pathlib import Path

import pytest

from matchboxctl.directory.machine_states import DirectoryMachines
from tests.boot.clients import CLIENTS, boot, powered_on
from tests.boot.exchanges import relayed
from tests.boot.fleet import identity
from tests.boot.installations import SECRET, install, write_installation
from tests.boot.machine import Machine
from tests.boot.networks import Servers
from tests.support.serving import serving

pytestmark = [pytest.mark.boot, pytest.mark.nightly]

CLIENT = CLIENTS["bios-ipxe-new"]
OWNER, OTHER = identity(23), identity(24)
OWNERS_ADDRESS, OTHERS_ADDRESS = "127.0.0.2", "127.0.0.3"
DISK = "is installed and boots from its disk."
REFUSED = "This machine is not booted: one of its identities is another machine's."


@pytest.mark.parametrize("first", ["owner", "impostor"])
@pytest.mark.parametrize(
    ("impostor", "refusal"),
    [
        pytest.param(Machine(OWNER.mac, OTHER.uuid, OTHER.serial, "node"), REFUSED, id="MAC"),
        pytest.param(Machine(OTHER.mac, OWNER.uuid, OTHER.serial, "node"), REFUSED, id="UUID"),
        pytest.param(Machine(OWNER.mac, OWNER.uuid, OTHER.serial, "node"), DISK, id="both"),
    ],
)
def test_first_machine_alone_gets_the_configuration(
    first: str, impostor: Machine, refusal: str, tmp_path: Path
) -> None:
    """An impostor gets it while the owner may install and has not asked; then the owner does not install."""
    data = tmp_path / "data"
    data.mkdir()
    turns = [(OWNER, OWNERS_ADDRESS), (impostor, OTHERS_ADDRESS)]
    (early, early_address), (late, late_address) = turns if first == "owner" else reversed(turns)
    for scratch in ("early", "late"):
        (tmp_path / scratch).mkdir()
    with serving(data) as port:
        write_installation(data, CLIENT, {"once": True, "token": True}, port)
        with relayed(port, source=early_address) as relay:
            result = boot(CLIENT, Servers(relay.port), early, tmp_path / "early")
        assert SECRET == result.configuration
        with (
            relayed(port, source=late_address) as relay,
            powered_on(CLIENT, Servers(relay.port), late, tmp_path / "late") as machine,
        ):
            machine.wait_for(refusal)
            assert not relay.exchanges("/generic")
        with closing(DirectoryMachines(data)) as machines:
            [state] = machines.all()
    assert state.delivery is not None
    assert early_address == state.delivery.address


@pytest.mark.parametrize("client", ["bios-ipxe-old", "edk2-http", "grub-2.06", "grub-2.12"])
def test_refused_machine_shows_why(client: str, tmp_path: Path) -> None:
    data, scratch = tmp_path / "data", tmp_path / "machine"
    data.mkdir()
    scratch.mkdir()
    with serving(data) as port:
        write_installation(data, CLIENTS[client], {"once": True}, port)
        install(data, OWNER)
        impostor = Machine(OTHER.mac, OWNER.uuid, OTHER.serial, "node")
        with powered_on(CLIENTS[client], Servers(port), impostor, scratch) as machine:
            machine.wait_for(REFUSED)
