"""A data directory whose one group has a boot policy, and which installs a disk; its server, and its operator."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.state import Delivery, MachineState
from matchboxctl.directory.machine_states import DirectoryMachines
from matchboxctl.main import main
from tests.boot import guest
from tests.boot.clients import Client
from tests.boot.dhcp_network import HOST
from tests.boot.fleet import place, write_json
from tests.boot.machine import Machine
from tests.support.serving import Serve, started

GROUP = "nodes"
SECRET = b"the secret of the nodes\n"

# Nobody waits half a minute in a test. `serve` forks its processes, so that they have the numbers too.
_SHORT_WAITS = """\
import sys
from lambda_matchbox.answers import verdicts
from matchboxctl.main import main
verdicts.MIN_WAIT = verdicts.MAX_WAIT = {seconds}
sys.exit(main())
"""


def write_installation(
    directory: Path,
    client: Client,
    policy: dict[str, object],
    port: int,
    image: bytes | None = None,
    authority: bytes | None = None,
) -> None:
    """Fills `directory` with the group, its profile, and what `client` loads, and installs if there is an image.

    `port` is the server's. If there is an `authority`, one in PEM, configurations come from an https address that the
    server has been told. Raises RigUnavailableError.
    """
    architecture = client.architecture
    # GRUB takes an unquoted `&` for an operator; the token says which machine it is. It tells the server no port.
    query = "token=${token}" if client.name.startswith("grub") else "uuid=${uuid}&mac=${mac:hexhyp}&token=${token}"
    base = f"http://{HOST}:{port}/" if client.name == "grub-2.12" and not authority else "${base}"
    boot = {
        "kernel": "/assets/vmlinuz",
        "initrd": ["/assets/initramfs.gz"],
        "args": [
            *guest.arguments(architecture, "initramfs.gz"),
            f"talos.config={base}generic?{query}",
            *([f"install={base}assets/disk.img"] if image else []),
        ],
    }
    write_group(directory, policy, {"id": GROUP, "generic_id": "secret", "boot": boot})
    place(SECRET, directory / "generic" / "secret")
    place(guest.kernel(architecture).read_bytes(), directory / "assets" / "vmlinuz")
    initramfs = guest.initramfs(architecture, talos=authority is not None, authority=authority)
    place(initramfs, directory / "assets" / "initramfs.gz")
    if image:
        place(image, directory / "assets" / "disk.img")
    for path, file in client.first_stage.items():
        place(file().read_bytes(), directory / path)


def write_group(directory: Path, policy: dict[str, object], profile: dict[str, object]) -> None:
    """The one group, and its profile."""
    write_json(directory / "profiles" / f"{GROUP}.json", profile)
    write_json(directory / "groups" / f"{GROUP}.json", {"id": GROUP, "profile": profile["id"], "boot": policy})


@contextmanager
def serving_with_short_waits(data: Path, seconds: int = 1) -> Iterator[Serve]:
    """Serves a directory to machines that ask again after so many seconds."""
    command = [sys.executable, "-c", _SHORT_WAITS.format(seconds=seconds), "serve"]
    with started("--address", "127.0.0.1:0", "--data-path", str(data), command=command) as serve:
        try:
            yield serve
        finally:
            serve.end()


def install(data: Path, machine: Machine) -> None:
    """Has the machine installed already."""
    identities = Identities(machine.mac, machine.uuid, machine.serial)
    delivery = Delivery(1, "127.0.0.1", "", 1)
    with closing(DirectoryMachines(data)) as machines:
        machines.write(None, MachineState(identities, delivery=delivery, installed=1))


def decide(data: Path, verb: str, machine: Machine) -> None:
    """What an operator decides about the machine."""
    assert 0 == main(["machine", verb, machine.mac, "--data-path", str(data)])
