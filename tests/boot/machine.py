"""A virtual machine and its run from power-on to power-off."""

import base64
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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


class RunningMachine:
    """A virtual machine that has been switched on; made by `switched_on`."""

    def __init__(self, process: subprocess.Popen[bytes], console_file: Path, time_limit: float) -> None:
        self._process = process
        self._console_file = console_file
        self._time_limit = time_limit
        self._begin = time.monotonic()

    @property
    def console(self) -> str:
        """What it has printed so far."""
        return self._console_file.read_text(errors="replace")

    def wait_for(self, text: str) -> None:
        """Waits until the console shows it. Raises BootFailedError."""
        while True:
            over = self._process.poll() is not None or time.monotonic() > self._begin + self._time_limit
            if text in self.console:
                return
            if over:
                raise BootFailedError(f"no {text!r} on the console, which ends:\n{tail(self.console)}")
            time.sleep(0.2)

    def ended(self) -> str:
        """Waits until the guest powers off, and says how it ended."""
        try:
            code = self._process.wait(self._time_limit)
        except subprocess.TimeoutExpired:
            return f"still running after {self._time_limit:g} s"
        return "the guest powered off" if code == 0 else f"QEMU ended with code {code}"

    def result(self) -> BootResult:
        """Waits until the guest powers off, and reads the configuration from its console. Raises BootFailedError."""
        end = self.ended()
        text = self.console
        configuration = printed_configuration(text)
        if configuration is None:
            raise BootFailedError(
                f"{end} without having printed a configuration; {self._console_file} ends:\n{tail(text)}"
            )
        return BootResult(configuration, text, time.monotonic() - self._begin)


@contextmanager
def switched_on(
    command: Sequence[str], console_file: Path, time_limit: float, descriptors: Sequence[int] = ()
) -> Iterator[RunningMachine]:
    """Runs QEMU, and ends it on leaving if the guest has not powered off by then.

    `time_limit` is in seconds; `descriptors` are open files that the command line names. The console's text is kept in
    `console_file`, and grows there while the guest runs.
    """
    with console_file.open("wb") as console:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT, pass_fds=descriptors
        )
        try:
            yield RunningMachine(process, console_file, time_limit)
        finally:
            process.kill()
            process.wait()


def printed_configuration(console: str) -> bytes | None:
    found = re.search(f"{guest.BEGIN}([A-Za-z0-9+/=\\s]*){guest.END}", console)
    return base64.b64decode(found[1]) if found else None


def tail(console: str) -> str:
    """The last lines, without the control sequences by which firmware moves the cursor."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=c]|[^\n\t -~]", "", console)
    return "\n".join([line.rstrip() for line in plain.splitlines() if line.strip()][-40:])
