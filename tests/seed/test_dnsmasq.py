"""The note's dnsmasq.conf, and what `matchboxctl dhcp` prints in its place, with firmware and iPXE as clients."""

import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from matchboxctl.main import main
from tests.rigs.install import on_path
from tests.seed.bastion import AS_ROOT, DOCUMENT, on_bastion
from tests.support.paths import PROJECT

pytestmark = [pytest.mark.real, pytest.mark.system, AS_ROOT]

PAGE = PROJECT / "docs" / "seed.md"
BOOT = "http://10.20.13.140:8080/boot.ipxe"
CLIENT = (sys.executable, Path(__file__).with_name("dhcp_client.py"))

# It is not asked whether somebody has the address already, which takes seconds.
OFFERS = """\
set -e
"$1" --conf-file="$2" --no-ping --user=root --pid-file="$3/pid" --dhcp-leasefile="$3/leases" --log-facility="$3/log"
trap 'kill "$(cat "$3/pid")"' EXIT
"$4" -P "${@:5}"
"""


class Offer(NamedTuple):
    address: str
    file: str
    mask: str
    router: str
    dns: str
    lease: str


def offers(configuration: str, scratch: Path, *asked: str) -> Mapping[str, Offer]:
    """What dnsmasq with this configuration offers to each, but for the directory of its files."""
    file = scratch / "dnsmasq.conf"
    file.write_text(configuration)
    ended = on_bastion(OFFERS, scratch, 0, on_path("dnsmasq", "dnsmasq-base"), file, scratch, *CLIENT, *asked)
    assert (0, "") == (ended.returncode, ended.stderr)
    found = (line.split() for line in ended.stdout.splitlines())
    return {
        who: Offer(address, file, *(each.partition("=")[2] for each in rest)) for who, address, file, *rest in found
    }


def printed(scratch: Path) -> str:
    """As printed, but with a `tftp-root` that exists."""
    return (DOCUMENT / "dnsmasq.conf").read_text().replace("/var/lib/matchbox/assets", str(scratch))


def mended(capsys: pytest.CaptureFixture[str], scratch: Path) -> str:
    """What the command of docs/seed.md prints."""
    [command] = re.findall(r"^matchboxctl (dhcp (?:.*\\\n)*.*) > dnsmasq.conf$", PAGE.read_text(), re.MULTILINE)
    assert 0 == main(shlex.split(f"{command} --tftp-root {scratch}".replace("\\\n", "")))
    return capsys.readouterr().out


def test_printed_file_does_not_start(tmp_path: Path) -> None:
    """Its directory for TFTP is mounted in matchbox's container, not in its own."""
    script = '"$1" --conf-file=dnsmasq.conf --keep-in-foreground --log-facility=- --pid-file='
    ended = on_bastion(script, tmp_path, 0, on_path("dnsmasq", "dnsmasq-base"))
    assert 3 == ended.returncode
    assert "TFTP directory /var/lib/matchbox/assets inaccessible: No such file or directory" in ended.stderr


def test_addresses_are_offered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The printed ones, for a day and for an hour."""
    for configuration, hours in ((printed(tmp_path), 24), (mended(capsys, tmp_path), 1)):
        [offer] = offers(configuration, tmp_path, "0").values()
        assert 150 <= int(offer.address.removeprefix("10.20.13.")) <= 200
        addresses = [".".join(map(str, bytes.fromhex(each))) for each in (offer.mask, offer.router, offer.dns)]
        assert ["255.255.255.0", "10.20.13.1", "10.20.13.140"] == addresses
        assert hours * 60 * 60 == int(offer.lease, 16)


def test_printed_file_gives_firmware_the_programs_of_other_firmware(tmp_path: Path) -> None:
    """ARM64 (11) gets BIOS's, x86-64 (7) gets ARM64's; `#` is an older spelling of `!`."""
    files = {who: offer.file for who, offer in offers(printed(tmp_path), tmp_path, "0", "7", "9", "11").items()}
    assert {"0": "undionly.kpxe", "7": "bootaa64.efi", "9": "undionly.kpxe", "11": "undionly.kpxe"} == files


def test_printed_file_gives_ipxe_the_boot_script(tmp_path: Path) -> None:
    found = offers(printed(tmp_path), tmp_path, "0:iPXE", "7:iPXE", "11:iPXE")
    assert [BOOT] * 3 == [offer.file for offer in found.values()]


def test_printed_command_gives_each_firmware_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("0", "7", "9", "11", "0:iPXE", "11:iPXE")
    files = {who: offer.file for who, offer in offers(mended(capsys, tmp_path), tmp_path, *asked).items()}
    own = {"0": "undionly.kpxe", "7": "ipxe.efi", "9": "ipxe.efi", "11": "ipxe-arm64.efi"}
    assert own | {"0:iPXE": BOOT, "11:iPXE": BOOT} == files
