"""The note's dnsmasq.conf, and what `matchboxctl dhcp` prints in its place, with firmware and iPXE as clients."""

import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from matchboxctl.main import main
from tests.rigs.install import on_path
from tests.seed.bastion import AS_ROOT, DOCUMENT, on_bastion
from tests.support.paths import PROJECT

pytestmark = [pytest.mark.real, pytest.mark.system, AS_ROOT]

PAGE = PROJECT / "docs" / "seed.md"
BOOT = "http://10.20.13.140:8080/boot.ipxe"
ASK = """\
import json, sys
from tests.rigs.dhcp_client import IPXE, ask

asked = {each: each.partition(":") for each in sys.argv[1:]}
files = {each: ask(4, int(architecture), is_ipxe=user == IPXE).file for each, (architecture, _, user) in asked.items()}
print(json.dumps(files))
"""

# It is not asked whether somebody has the address already, which takes seconds.
OFFERS = """\
set -e
"$1" --conf-file="$2" --no-ping --user=root --pid-file="$3/pid" --dhcp-leasefile="$3/leases" --log-facility="$3/log"
"${@:4}"
"""


def offers(configuration: str, scratch: Path, *asked: str) -> dict[str, str]:
    """The files that dnsmasq with this configuration offers to each architecture, and with `:iPXE` to that iPXE."""
    file = scratch / "dnsmasq.conf"
    file.write_text(configuration)
    client = (sys.executable, "-c", ASK, *asked)
    command = (on_path("dnsmasq", "dnsmasq-base"), file, scratch, *client)
    ended = on_bastion(OFFERS, scratch, *command, environment={"PYTHONPATH": str(PROJECT)})
    assert (0, "") == (ended.returncode, ended.stderr)
    files: dict[str, str] = json.loads(ended.stdout)
    return files


def printed(scratch: Path) -> str:
    """As printed, but with a `tftp-root` that exists."""
    return (DOCUMENT / "dnsmasq.conf").read_text().replace("/var/lib/matchbox/assets", str(scratch))


def repaired(capsys: pytest.CaptureFixture[str], scratch: Path) -> str:
    """What the command of docs/seed.md prints."""
    [command] = re.findall(r"^matchboxctl (dhcp (?:.*\\\n)*.*) > dnsmasq.conf$", PAGE.read_text(), re.MULTILINE)
    assert 0 == main(shlex.split(f"{command} --tftp-root {scratch}".replace("\\\n", "")))
    return capsys.readouterr().out


def test_printed_file_does_not_start(tmp_path: Path) -> None:
    """Its directory for TFTP is mounted in matchbox's container, not in its own."""
    script = '"$1" --conf-file=dnsmasq.conf --keep-in-foreground --log-facility=- --pid-file='
    ended = on_bastion(script, tmp_path, on_path("dnsmasq", "dnsmasq-base"))
    assert 3 == ended.returncode
    assert "TFTP directory /var/lib/matchbox/assets inaccessible: No such file or directory" in ended.stderr


def test_addresses_are_offered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The printed ones, for a day and for an hour, as the log of either shows."""
    for name, configuration, lease in (("1", printed(tmp_path), "1d"), ("2", repaired(capsys, tmp_path), "1h")):
        (tmp_path / name).mkdir()
        offers(configuration, tmp_path / name, "0")
        log = (tmp_path / name / "log").read_text()
        sent = dict(re.findall(r"sent size: .* option: .{1,3} ([\w-]+)  *(\S+)", log))
        expected = {
            "netmask": "255.255.255.0",
            "router": "10.20.13.1",
            "dns-server": "10.20.13.140",
            "lease-time": lease,
        }
        assert expected == {option: sent[option] for option in expected}
        assert "next server: 10.20.13.140\n" in log
        [offered] = re.findall(r"DHCPOFFER\(eth0\) 10\.20\.13\.(\d+) ", log)
        assert 150 <= int(offered) <= 200


def test_printed_file_gives_firmware_the_programs_of_other_firmware(tmp_path: Path) -> None:
    """ARM64 (11) gets BIOS's, x86-64 (7) gets ARM64's; `#` is an older spelling of `!`."""
    files = offers(printed(tmp_path), tmp_path, "0", "7", "9", "11")
    assert {"0": "undionly.kpxe", "7": "bootaa64.efi", "9": "undionly.kpxe", "11": "undionly.kpxe"} == files


def test_printed_file_gives_ipxe_the_boot_script(tmp_path: Path) -> None:
    found = offers(printed(tmp_path), tmp_path, "0:iPXE", "7:iPXE", "11:iPXE")
    assert [BOOT] * 3 == list(found.values())


def test_printed_command_gives_each_firmware_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("0", "7", "9", "11", "0:iPXE", "11:iPXE")
    files = offers(repaired(capsys, tmp_path), tmp_path, *asked)
    own = {"0": "undionly.kpxe", "7": "ipxe.efi", "9": "ipxe.efi", "11": "ipxe-arm64.efi"}
    assert own | {"0:iPXE": BOOT, "11:iPXE": BOOT} == files
