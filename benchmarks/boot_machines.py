"""The groups of the benchmarks: one for each machine, by its MAC address, and one profile for all."""

import json
from collections.abc import Iterator
from pathlib import Path

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.web.app import App

PROFILE = Profile(
    "worker", boot=NetBoot("/assets/vmlinuz", ("/assets/initramfs.xz",), ("console=ttyS0", "talos.platform=metal"))
)


def groups(size: int, listed: int = 1) -> Iterator[Group]:
    """`size` groups, each with `listed` MAC addresses in its selector."""
    for number in range(size):
        macs = tuple(mac(number + size * turn) for turn in range(listed))
        yield Group(f"node{number}", profile=PROFILE.id, selector={"mac": macs if listed > 1 else macs[0]})


def write(directory: Path, size: int, listed: int = 1) -> None:
    """Write the groups and their profile as files."""
    (directory / "groups").mkdir(parents=True)
    (directory / "profiles").mkdir()
    (directory / "profiles" / f"{PROFILE.id}.json").write_text(json.dumps(PROFILE.document()))
    for group in groups(size, listed):
        (directory / "groups" / f"{group.id}.json").write_text(json.dumps(group.document()))


def mac(number: int) -> str:
    """The machine's address."""
    digits = f"{number:012x}"
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def ask(app: App, number: int, path: str = "/ipxe") -> None:
    """Make the machine's request for a path. Ends the run on an error."""
    response = app.handle(event(number, path))
    if response["statusCode"] != 200:
        raise SystemExit(f"answered {response['statusCode']}: {response['body']}")


def event(number: int, path: str = "/ipxe") -> dict[str, object]:
    """The machine's request for a path, as the load balancer's event."""
    return {
        "httpMethod": "GET",
        "path": path,
        "multiValueQueryStringParameters": {"mac": [mac(number).replace(":", "-")], "arch": ["x86_64"]},
        "multiValueHeaders": {"host": ["matchbox.test"]},
    }
