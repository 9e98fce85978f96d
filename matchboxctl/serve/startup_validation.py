"""The validation of what `serve` serves, in a process of its own: no request waits for it, and it ends no other."""

import multiprocessing
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path

from lambda_matchbox.errors import MatchboxError
from matchboxctl.cli.errors import CommandError
from matchboxctl.cli.standard_output import OutputError
from matchboxctl.cli.wrapping import wrapped
from matchboxctl.serve.backends import Directories
from matchboxctl.store.mode import StoreSettings

_MAX_FINDINGS = 5
_NICENESS = 10
_GRACE = 1.0


@contextmanager
def startup_validation(source: Directories | StoreSettings) -> Iterator[Callable[[], None]]:
    """Fork the process, which ends with this one. No thread may run yet, and no socket be open.

    It validates and prints the short form once the yielded function is called.
    """
    fork = multiprocessing.get_context("fork")
    reading, writing = fork.Pipe(duplex=False)
    process = fork.Process(target=_validate, args=(source, reading, writing), daemon=True)
    # It waits until the process can handle it: an exception in the middle of a fork is printed, and lost.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    process.start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    reading.close()
    try:
        yield lambda: writing.send_bytes(b"begin")
    finally:
        writing.close()
        process.terminate()
        process.join(_GRACE)
        process.kill()


def _validate(source: Directories | StoreSettings, reading: Connection, writing: Connection) -> None:
    # An exception, so that a program that it has started ends as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    # Python prints it where it cannot be raised, such as in a callback of an import. Then the process is killed.
    sys.unraisablehook = _print_other_than_exits
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    # A terminal sends it to all processes: the first one decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    writing.close()
    try:
        reading.recv_bytes()
    except EOFError:
        return
    os.nice(_NICENESS)
    lines = _lines(source)
    with suppress(OutputError):
        print(*(wrapped(line, sys.stdout) for line in lines), sep="\n", end="\n" * bool(lines), flush=True)


def _print_other_than_exits(unraisable: "sys.UnraisableHookArgs") -> None:
    if unraisable.exc_type is not SystemExit:
        sys.__unraisablehook__(unraisable)


def _lines(source: Directories | StoreSettings) -> list[str]:
    # Imported here: `serve` has started by now.
    from matchboxctl.validate.command import advising_for, source_contents
    from matchboxctl.validate.report import short_form
    from matchboxctl.validate.validation import validate

    if isinstance(source, Directories):
        data: Path | StoreSettings = source.data_path
        assets: Path | None = source.assets_path
        flags = [] if assets == source.data_path / "assets" else ["--assets-path", str(assets)]
        command = shlex.join(["matchboxctl", "validate", str(data), *flags])
    else:
        data, assets = source, None
        command = "matchboxctl validate"
        if source.stack:
            command += f" --stack {shlex.quote(source.stack)}"
        else:
            command = f"MATCHBOX_TABLE={source.table} MATCHBOX_BUCKET={source.bucket} {command}"
    try:
        with advising_for(data):
            result = validate(source_contents(data, assets))
    except (CommandError, MatchboxError) as error:
        return [f"not validated: {error}"]
    return short_form(result, command, _MAX_FINDINGS)
