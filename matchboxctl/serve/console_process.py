"""`serve --console`: `matchboxctl console` in a process of its own, so that no page delays a boot."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

from matchboxctl.cli.errors import UsageError

_GRACE = 5.0
_OPEN = "open "


@contextmanager
def console_process(address: str, data_path: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """Run a console of the data directory meanwhile; yields a line with the address that opens it, and what ends it.

    It ends with this process, also if that is killed. Raises UsageError.
    """
    flags = ["--address", address, "--data-path", str(data_path), "--end-with-input"]
    command = [sys.executable, "-P", "-m", "matchboxctl.main", "console", *flags]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def end() -> None:
            process.terminate()
            killing = Timer(_GRACE, process.kill)
            killing.daemon = True
            killing.start()

        try:
            if process.stdout is not None:
                opened = next((line for line in process.stdout if line.startswith(_OPEN)), "")
            if not opened:
                raise UsageError(f"--console {address}: the console does not start: see the error above")
            yield f"console at {opened.removeprefix(_OPEN).rstrip()}", end
        finally:
            end()
