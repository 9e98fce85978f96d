"""Debian's installer, which takes its preseed file against a token and reports.

It comes as far as its `early_command`: what follows fetches a system from a mirror, and in emulation takes an hour.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.boot import firmware
from tests.boot.clients import CLIENTS, http_booting_pc, powered_on
from tests.boot.disks import MARKER, image_for, written
from tests.boot.exchanges import relayed
from tests.boot.fleet import identity, place
from tests.boot.installations import GROUP, write_group
from tests.boot.networks import Servers
from tests.support.serving import serving

pytestmark = [pytest.mark.boot, pytest.mark.nightly]

MACHINE = identity(25)
# DHCP names `/boot.ipxe` to iPXE alone here: the installer takes such an address for its preseed file's. With less
# memory it would leave things out.
CLIENT = replace(CLIENTS["edk2-http"], hardware=lambda scratch: [*http_booting_pc(scratch), "-m", "1024"])
ARGUMENTS = (
    "initrd=initrd.gz",
    "auto-install/enable=true",
    "debconf/priority=critical",
    "locale=en_US.UTF-8",
    "keymap=us",
    "hostname=node",
    "domain=lab.example",
    "netcfg/choose_interface=auto",
    "netcfg/get_nameservers=10.0.2.2",
    "DEBIAN_FRONTEND=text",
    "console=ttyS0",
    "preseed/url=${base}generic?uuid=${uuid}&token=${token}",
    "report=${base}report?token=${token}",
)
PRESEED = b"""\
d-i preseed/early_command string \\
  wget -O /dev/null "$(sed 's/.* report=\\([^ ]*\\).*/\\1/' /proc/cmdline)&state=installed"; \\
  reboot -f
"""


def test_installer_takes_its_preseed_file_and_reports(tmp_path: Path) -> None:
    """Then the machine boots from its disk."""
    data, scratch = tmp_path / "data", tmp_path / "machine"
    disk = written(tmp_path / "disk", image_for("uefi", "amd64", tmp_path))
    scratch.mkdir()
    boot = {"kernel": "/assets/linux", "initrd": ["/assets/initrd.gz"], "args": ARGUMENTS}
    write_group(
        data,
        {"once": True, "token": True, "done": "report"},
        {"id": GROUP, "generic_id": "preseed.cfg", "boot": boot},
    )
    place(PRESEED, data / "generic" / "preseed.cfg")
    for path, file in CLIENT.first_stage.items():
        place(file().read_bytes(), data / path)
    for name in ("linux", "initrd.gz"):
        place((firmware.debian_installer() / name).read_bytes(), data / "assets" / name)
    with (
        serving(data) as port,
        relayed(port) as relay,
        powered_on(CLIENT, Servers(relay.port), MACHINE, scratch, disk) as machine,
    ):
        machine.wait_for(MARKER)
        [report] = relay.exchanges("/report")
        console = machine.console
    assert 200 == report.response.status
    assert 2 == len(relay.exchanges("/ipxe"))
    assert "is installed and boots from its disk." in console
