"""A directory of certificates and keys: a set of files is written as a whole or not at all."""

import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from matchboxctl.cli.errors import FailedError, UsageError

NAMES = ("ca.key", "ca.crt", "server.key", "server.crt", "client.key", "client.crt")
"""matchbox's names of them, and those that bootcmd looks for."""

_DRAFTS = ".certs-"


def write_new(directory: Path, contents: Mapping[str, bytes]) -> None:
    """Write the files, none of which may be there yet; make the directory. Raises UsageError, FailedError."""
    with _whole(directory, "nothing is written"):
        made = _make(directory)
        try:
            _write(directory, contents, _link_all)
        except BaseException:
            if made:
                with suppress(OSError):
                    directory.rmdir()
            raise


def replace(directory: Path, contents: Mapping[str, bytes]) -> None:
    """Write the files in the place of those that are there, with their owners. Raises FailedError."""
    with _whole(directory, "`matchboxctl certs --check` says what is there"):
        _write(directory, contents, _replace_all)


def left_behind(directory: Path) -> list[Path]:
    """What a command that was killed has left in the directory: keys, also an authority's, that nobody looks for."""
    return sorted(directory.glob(f"{_DRAFTS}*"))


@contextmanager
def _whole(directory: Path, state: str) -> Iterator[None]:
    """Signals wait until the set is whole; nothing in between takes long."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    except OSError as error:
        raise FailedError(f"{directory} cannot be written: {error.strerror}; {state}") from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _make(directory: Path) -> bool:
    """Make the directory, for its owner alone; False where it is there."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        return False
    return True


def _write(
    directory: Path, contents: Mapping[str, bytes], put: Callable[[Path, Path, Mapping[str, bytes]], None]
) -> None:
    drafts = Path(tempfile.mkdtemp(prefix=_DRAFTS, dir=directory))
    try:
        for name, body in contents.items():
            _write_whole(drafts / name, body, directory / name)
        put(drafts, directory, contents)
        _sync(directory)
    finally:
        shutil.rmtree(drafts)


def _write_whole(draft: Path, body: bytes, target: Path) -> None:
    # A key is its owner's alone from the first byte on.
    descriptor = os.open(
        draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600 if draft.suffix == ".key" else 0o644
    )
    with os.fdopen(descriptor, "wb") as file:
        if target.exists():
            # The server may run as somebody else than whoever renews, and may read by its group; a certificate also as
            # anybody, whatever the umask is now.
            old = target.stat()
            if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(descriptor, old.st_uid, old.st_gid)
            kept = 0o040 if draft.suffix == ".key" else 0o044
            os.fchmod(descriptor, stat.S_IMODE(os.fstat(descriptor).st_mode) | old.st_mode & kept)
        file.write(body)
        file.flush()
        os.fsync(descriptor)


def _link_all(drafts: Path, directory: Path, contents: Mapping[str, bytes]) -> None:
    linked = []
    try:
        for name in contents:
            # Unlike a rename, a link replaces nothing.
            os.link(drafts / name, directory / name)
            linked.append(directory / name)
    except OSError as error:
        for path in linked:
            path.unlink()
        if isinstance(error, FileExistsError):
            raise UsageError(already(directory, [name])) from error
        raise


def already(directory: Path, names: list[str]) -> str:
    """What is said where files are there already."""
    return (
        f"{directory} has {', '.join(names)} already, and nothing is overwritten: --renew makes new certificates of "
        "the authority that is there; for a new authority name another directory"
    )


def _replace_all(drafts: Path, directory: Path, contents: Mapping[str, bytes]) -> None:
    # A power cut in between leaves a key beside another key's certificate: a server does not start with them, --check
    # tells of them, and --renew once more mends them.
    for name in contents:
        (drafts / name).replace(directory / name)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
