"""DHCP servers with the configurations that `matchboxctl dhcp` prints, asked as firmware and iPXE ask."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rigs import dhcp_client
from tests.rigs.dhcp_client import IPXE, SERVER, SERVER_6, Offer
from tests.rigs.install import on_path, run
from tests.rigs.program import scratch_directory
from tests.support.commands import Commands

pytestmark = [
    pytest.mark.real,
    pytest.mark.nightly,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root has a network namespace in which servers drop privileges"),
]

URLS = {4: f"http://{SERVER}:8080", 6: f"http://[{SERVER_6}]:8080"}
FILES = {0: "undionly.kpxe", 7: "ipxe.efi", 9: "ipxe.efi", 11: "ipxe-arm64.efi"}
HTTP_FILES = {16: "ipxe.efi", 19: "ipxe-arm64.efi"}


def dnsmasq(configuration: str, scratch: Path) -> list[str]:
    file = scratch / "dnsmasq.conf"
    file.write_text(configuration)
    own = ["--keep-in-foreground", "--no-ping", "--log-facility=-", "--pid-file=", f"--dhcp-leasefile={scratch}/leases"]
    return [on_path("dnsmasq", "dnsmasq-base"), f"--conf-file={file}", *own, "--user=root"]


def kea(configuration: str, scratch: Path) -> list[str]:
    """Leases are kept in memory: the file of the package belongs to this machine's server."""
    (name, settings), *_ = json.loads(configuration).items()
    file = scratch / "kea.json"
    own: dict[str, object] = {"lease-database": {"type": "memfile", "persist": False}}
    if name == "Dhcp6":
        own["server-id"] = {"type": "LL", "persist": False}
    file.write_text(json.dumps({name: settings | own}))
    program = f"kea-{name.lower()}"
    variables = [f"KEA_PIDFILE_DIR={scratch}", "KEA_LOCKFILE_DIR=none"]
    return ["env", *variables, on_path(program, f"{program}-server"), "-c", str(file)]


def isc(configuration: str, scratch: Path) -> list[str]:
    file, leases = scratch / "dhcpd.conf", scratch / "leases"
    file.write_text(configuration)
    leases.touch()
    own = [
        "-f",
        "-q",
        "-cf",
        str(file),
        "-lf",
        str(leases),
        "-pf",
        str(scratch / "pid"),
        "-user",
        "root",
        "-group",
        "root",
    ]
    return [on_path("dhcpd", "isc-dhcp-server"), *own, "eth0"]


@pytest.mark.parametrize(
    ("name", "start", "version"),
    [("dnsmasq", dnsmasq, 4), ("dnsmasq", dnsmasq, 6), ("kea", kea, 4), ("kea", kea, 6), ("isc", isc, 4)],
    ids=["dnsmasq", "dnsmasq-ipv6", "kea", "kea-ipv6", "isc"],
)
def test_each_firmware_is_offered_its_file_and_ipxe_the_script(
    name: str, start: Callable[[str, Path], list[str]], version: int, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    url = URLS[version]
    printed = Commands(capsysbinary)("dhcp", name, "--url", url, "--interface", "eth0").out
    by_tftp = {each: file for each, file in FILES.items() if version == 4 or each}
    architectures = ",".join(map(str, [*by_tftp, *HTTP_FILES]))
    with scratch_directory() as scratch:
        if name == "dnsmasq":
            # It refuses to start without the directory.
            printed = printed.replace("/srv/tftp", str(scratch))
        command = [sys.executable, "-P", dhcp_client.__file__, str(version), architectures, *start(printed, scratch)]
        offers = json.loads(run([on_path("unshare", "util-linux"), "--net", *command]))
    expected = {str(each): Offer(f"{url}/assets/{file}", "", True) for each, file in HTTP_FILES.items()}
    for each, file in by_tftp.items():
        expected[str(each)] = Offer(
            file if version == 4 else f"tftp://[{SERVER_6}]/{file}", SERVER if version == 4 else "", False
        )
    expected[IPXE] = Offer(f"{url}/boot.ipxe", "", False)
    found = {each: Offer(*offer) for each, offer in offers.items()}
    # Where a URL is the file, the address of a TFTP server means nothing.
    assert expected == {
        each: offer._replace(server=expected[each].server and offer.server) for each, offer in found.items()
    }
