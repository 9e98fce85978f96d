"""A small fleet in a data directory, whose machines boot, wait, fail and are unknown, for pictures of the console."""

import os
import time
from collections.abc import Iterator
from contextlib import closing, redirect_stdout
from io import StringIO
from pathlib import Path

from lambda_matchbox.machines.events import Event, command_event, event_in
from lambda_matchbox.machines.history_stores import History
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.state import Delivery, MachineState
from matchboxctl.directory.history_file import DirectoryHistory
from matchboxctl.directory.machine_states import DirectoryMachines
from matchboxctl.main import main
from tests.support.data_files import write_files
from tests.support.registry_serving import faulty_registry
from tests.unit.image_sync.sync_subject import talos

STUCK = "52:54:00:12:34:00"
"""The machine whose boots go wrong in several ways."""

_CONFIG = "talos.config=${base}ignition?uuid=${uuid}&arch=x86_64&token=${token}"
_FILES = {
    "groups/workers.json": {
        "profile": "talos-worker",
        "selector": {"arch": "x86_64"},
        "boot": {"approve": True, "once": True, "token": True, "done": "report"},
        "metadata": {"role": "worker", "zone": "a"},
    },
    "groups/gpu.json": {"profile": "talos-gpu", "selector": {"arch": "x86_64", "gpu": "a100"}},
    "groups/edge.json": {"profile": "flatcar", "selector": {"mac": "52:54:00:ed:9e:01"}},
    "profiles/talos-worker.json": {
        "ignition_id": "worker.yaml",
        "boot": {
            "kernel": "/assets/talos/vmlinuz",
            "initrd": ["/assets/talos/initramfs.xz"],
            "args": [_CONFIG, "console=ttyS0", "talos.platform=metal"],
        },
    },
    "profiles/talos-gpu.json": {"boot": {"kernel": "/assets/talos/vmlinuz", "initrd": ["/assets/talos/initramfs.xz"]}},
    "profiles/flatcar.json": {"boot": {"kernel": "/assets/flatcar/vmlinuz", "initrd": ["/assets/flatcar/initrd.gz"]}},
    "ignition/worker.yaml": 'version: v1alpha1\nmachine:\n  type: {{.role}}\n  token: {{secret "join/token"}}\n',
    "sources/flatcar.json": {"id": "flatcar", "image": "ghcr.io/example/flatcar:stable", "assets": "flatcar"},
    "assets/talos/vmlinuz": "",
    "assets/talos/initramfs.xz": "",
}
_SIZES = {"vmlinuz": 19_200_000, "initramfs.xz": 81_400_000}
_RELEASE = "talos=sha256:4f0ab2c1d7"


def write_fleet(root: Path) -> Path:
    """The data directory."""
    write_files(root, _FILES)
    for name, size in _SIZES.items():
        os.truncate(root / "assets/talos" / name, size)
    secret = root / "secrets/join/token"
    secret.parent.mkdir(parents=True)
    secret.write_text("none of the pages has it")
    for path, mode in ((secret, 0o600), (secret.parent, 0o700), (root / "secrets", 0o700)):
        path.chmod(mode)
    _publish(root)
    now = time.time_ns() // 1_000_000
    with closing(DirectoryHistory(root)) as store:
        History(store).add(_events(now))
    with closing(DirectoryMachines(root)) as machines:
        for state in _states(now // 1000):
            machines.write(None, state)
    return root


def _publish(root: Path) -> None:
    """Two releases of a source."""
    source = {"id": "talos", "assets": "images/talos", "platform": "linux/arm64"}
    with faulty_registry() as registry, redirect_stdout(StringIO()):
        write_files(root, {"sources/talos.json": {**source, "image": f"{registry.host}/talos:stable"}})
        for version in ("v1.12.0", "v1.12.1"):
            registry.add("talos", "stable", talos(version.encode(), b"i" * 3_000_000, version=version))
            main(["sync", "talos", "--data-path", str(root)])
    write_files(root, {"sources/talos.json": {**source, "image": "ghcr.io/example/talos:stable"}})


def _events(now: int) -> Iterator[Event]:
    for number in range(18):
        ago = 900 + 700 * number
        yield from _boot(now, number, ago + 3 * 86_400)
        yield from _boot(now, number, ago, report=number % 6 != 2)
    yield from _boot(now, 0, 7200, assets=0)
    yield from _boot(now, 0, 1800, status=403)
    yield from _boot(now, 0, 700, assets=-1)
    yield from _boot(now, 0, 45, status=0, report=False)
    waits = {"verdict": "wait", "state": "waiting", "reason": "it waits for approval"}
    for number in range(3):
        mac = f"52:54:00:aa:00:0{number}"
        for turn in range(4):
            fields = {"mac": mac, "client": f"10.20.14.{number + 7}", "hostname": f"new-{number}", "arch": "x86_64"}
            yield _event(
                now, 200 - 45 * turn - number, "/ipxe", **fields, **waits, group="workers", profile="talos-worker"
            )
    for number in range(2):
        yield _event(
            now, 80 + 30 * number, "/ipxe", mac=f"aa:bb:cc:00:10:0{number}", client=f"10.20.99.{number}", status=404
        )
    yield command_event(now - 60_000, "hold", _machine(7), "held", "ada", "workers", "installed -> held")


def _boot(
    now: int, number: int, ago: float, *, assets: int = 2, status: int = 200, report: bool = True
) -> Iterator[Event]:
    """A boot; `assets` are those seen (-1: the kernel is missing), `status` is the configuration's (0: none)."""
    client = f"10.20.13.{number + 10}"
    machine = {**_machine(number)._asdict(), "client": client, "hostname": f"worker-{number:02}", "arch": "x86_64"}
    group = {"group": "workers", "profile": "talos-worker", "release": _RELEASE}
    yield _event(now, ago, "/ipxe", **machine, **group, verdict="allow", state="ready")
    names = ("vmlinuz", "initramfs.xz")
    for at, name in enumerate(names[: abs(assets)]):
        missing = 404 if assets < 0 else 200
        yield _event(now, ago - 1.8 - 4.1 * at, "/assets/", path=f"/assets/talos/{name}", client=client, status=missing)
    if assets < 0 or not status:
        return
    state = {"verdict": "allow", "state": "installing"}
    if status != 200:
        state = {"verdict": "refuse", "state": "ready", "reason": "its token has ended"}
    yield _event(now, ago - 38, "/ignition", **machine, **group, **state, status=status)
    if report and status == 200:
        yield _event(now, ago - 190, "/report", **machine, **group, state="installed", reported="installed")


def _machine(number: int) -> Identities:
    return Identities(
        f"52:54:00:12:34:{number:02x}", f"4c4c4544-0038-4410-8052-b3c04f4b{number:04x}", f"CZ2140{number:04}"
    )


def _event(now: int, ago: float, route: str, **fields: object) -> Event:
    line = {"route": route, "method": "GET", "status": 200, "user_agent": "iPXE/1.21.1", **fields}
    found = event_in(line, now - int(ago * 1000))
    assert found is not None
    return found


def _states(now: int) -> Iterator[MachineState]:
    for number in range(18):
        delivery = Delivery(now - 4000, f"10.20.13.{number + 10}", "b" * 16, now - 400)
        is_done = number % 6 != 2
        yield MachineState(
            _machine(number),
            approved=now - 400_000,
            approved_for="workers",
            held=now - 60 if number == 7 else 0,
            armed_until=now + 5000 if number == 0 else 0,
            boot="b" * 16,
            delivery=delivery._replace(boot="" if is_done else "b" * 16, until=0 if number == 0 else delivery.until),
            installed=now - 3900 if is_done else 0,
        )
