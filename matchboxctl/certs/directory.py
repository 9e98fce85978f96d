"""A directory of certificates and keys, written as a whole or not at all."""

import os
import signal
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from lambda_matchbox.locked_directories import locked, remove_abandoned
from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.directory.drafts import sync_directory

NAMES = ("ca.key", "ca.crt", "server.key", "server.crt", "client.key", "client.crt")
"""File names, as with matchbox and bootcmd."""

_DRAFTS = ".certs-"


def write_new(directory: Path, contents: Mapping[str, bytes]) -> None:
    """Write files, none of which may exist; create the directory. Raises UsageError, FailedError."""
    with _whole(directory, "nothing was written"):
        made = _make(directory)
        try:
            _write(directory, contents, _link_all)
        except BaseException:
            if made:
                with suppress(OSError):
                    directory.rmdir()
            raise


def replace(directory: Path, contents: Mapping[str, bytes]) -> None:
    """Replace the files, keeping their owners. Raises FailedError."""
    with _whole(directory, "run `matchboxctl certs --check`"):
        _write(directory, contents, _replace_all)


def leftovers(directory: Path) -> list[Path]:
    """What killed commands have left in the directory: keys, possibly an authority's."""
    return sorted(directory.glob(f"{_DRAFTS}*"))


@contextmanager
def _whole(directory: Path, state: str) -> Iterator[None]:
    """Block signals in the body, which does not take long."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    except OSError as error:
        raise FailedError(f"{directory} cannot be written: {error.strerror}; {state}") from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _make(directory: Path) -> bool:
    """Create the directory, for its owner alone; False if it exists."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        return False
    return True


def _write(
    directory: Path, contents: Mapping[str, bytes], put: Callable[[Path, Path, Mapping[str, bytes]], None]
) -> None:
    remove_abandoned(directory, _DRAFTS)
    with locked(directory, _DRAFTS) as drafts:
        for name, body in contents.items():
            _write_whole(drafts / name, body, directory / name)
        put(drafts, directory, contents)
        sync_directory(directory)


def _write_whole(draft: Path, body: bytes, target: Path) -> None:
    # Keys are readable by their owner alone from the first byte on.
    descriptor = os.open(
        draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600 if draft.suffix == ".key" else 0o644
    )
    with os.fdopen(descriptor, "wb") as file:
        if target.exists():
            # The server may run as another user, who reads keys through the group and certificates as anybody,
            # whatever the umask is now.
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
            raise UsageError(exist_message(directory, [name])) from error
        raise


def exist_message(directory: Path, names: list[str]) -> str:
    """The message about files that exist."""
    return (
        f"{directory} already has {', '.join(names)}: use --renew for new certificates of the same authority, or "
        "another directory for a new authority"
    )


def _replace_all(drafts: Path, directory: Path, contents: Mapping[str, bytes]) -> None:
    # A power cut in between leaves a key beside another key's certificate. A server does not start with them, --check
    # reports them, and another --renew repairs them.
    for name in contents:
        (drafts / name).replace(directory / name)
