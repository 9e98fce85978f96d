"""One virtual machine: who it is, and its run from power-on to power-off."""

import base64
import re
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.boot import guest


@dataclass(frozen=True)
class Machine:
    """What a machine says of itself, in SMBIOS, on the network and by DHCP."""

    mac: str
    uuid: str
    serial: str
    hostname: str
    domain: str = "lab.example"


@dataclass(frozen=True)
class BootResult:
    """A boot that reached Linux: the configuration it fetched, all that it printed, and how long it took."""

    configuration: bytes
    console: str
    seconds: float


class BootFailedError(Exception):
    """A boot that did not get to the end; the message shows the end of its console."""


def run(command: Sequence[str], console_file: Path, time_limit: float, descriptors: Sequence[int] = ()) -> BootResult:
    """Runs QEMU until the guest powers off, and reads the configuration from its console.

    `time_limit` is in seconds; `descriptors` are open files that the command line names. The console's text is kept in
    `console_file`, and grows there while the guest runs. Raises BootFailedError.
    """
    begin = time.monotonic()
    end = "the guest powered off"
    with console_file.open("wb") as console:
        try:
            code = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                pass_fds=descriptors,
                timeout=time_limit,
                check=False,
            ).returncode
            if code != 0:
                end = f"QEMU ended with code {code}"
        except subprocess.TimeoutExpired:
            end = f"still running after {time_limit:g} s"
    text = console_file.read_text(errors="replace")
    configuration = printed_configuration(text)
    if configuration is None:
        raise BootFailedError(f"{end} without having printed a configuration; {console_file} ends:\n{tail(text)}")
    return BootResult(configuration, text, time.monotonic() - begin)


def printed_configuration(console: str) -> bytes | None:
    found = re.search(f"{guest.BEGIN}([A-Za-z0-9+/=\\s]*){guest.END}", console)
    return base64.b64decode(found[1]) if found else None


def tail(console: str) -> str:
    """The last lines, without the control sequences by which firmware moves the cursor."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=c]|[^\n\t -~]", "", console)
    return "\n".join([line.rstrip() for line in plain.splitlines() if line.strip()][-40:])
