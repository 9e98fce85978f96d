"""Secrets in a data directory: one file for each, which only the server's user may read."""

import os
import stat
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from pathlib import Path

from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.secrets.references import SECRETS_MANAGER, check_name
from lambda_matchbox.secrets.stores import UnsafeSecretError

DIRECTORY = "secrets"
"""The directory of a data directory."""

IGNORED_BY_GIT = (".gitignore", "*\n")
"""The file, and its text, by which the directory is ignored by git wherever it is."""

_HARMLESS = ("!.gitignore", "!/.gitignore")
_GIT_SECONDS = 10
_GIT_TIMEOUT = 2
_PIECE = 65536
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class DirectorySecrets:
    """The store over a data directory (see `secrets.stores.SecretStore`): a file at secrets/NAME for each secret."""

    def __init__(self, data_path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._root = data_path / DIRECTORY
        self._clock = clock
        self._looked_at = -float(_GIT_SECONDS)
        self._git_problem = ""

    def values(self, names: Collection[str]) -> Mapping[str, str]:
        """The values of these secrets, without those that do not exist."""
        found = {name: value for name in names if (value := self._value(name)) is not None}
        if found:
            self._check_git()
        return found

    def check(self, name: str) -> None:
        """Raises UnsafeSecretError if a secret of this name would not be used in the directories that exist."""
        self._check_directories(self._root / name, self._owners())
        self._check_git()

    def problems(self) -> Iterator[str]:
        """Why secrets are not used, one line for each reason."""
        if self._root.is_dir():
            yield from filter(None, [self._problem_with_git()])
            for path in sorted(path for path in self._root.rglob("*") if path.is_file()):
                name = path.relative_to(self._root).as_posix()
                if not any(part.startswith(".") for part in path.relative_to(self._root).parts):
                    try:
                        self._value(name)
                    except (UnsafeSecretError, StoreUnavailableError, ValueError) as error:
                        yield str(error)

    def _value(self, name: str) -> str | None:
        if name.startswith(SECRETS_MANAGER):
            return None
        check_name(name)
        shown = f"{DIRECTORY}/{name}"
        try:
            raw = self._read(self._root / name)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreUnavailableError(f"{shown} cannot be read: {error.strerror}") from error
        try:
            return None if raw is None else raw.decode()
        except UnicodeDecodeError:
            raise UnsafeSecretError(f"{shown} is not text in UTF-8: encode it, in base64 for example") from None

    def _read(self, path: Path) -> bytes | None:
        """The bytes of a file, checked; None for what is no file. Raises OSError and UnsafeSecretError."""
        # A pipe would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            about = os.fstat(descriptor)
            if not stat.S_ISREG(about.st_mode):
                return None
            owners = self._owners()
            _check_file(path.relative_to(self._root.parent).as_posix(), about, owners)
            self._check_directories(path, owners)
            return b"".join(iter(partial(os.read, descriptor, _PIECE), b""))
        finally:
            os.close(descriptor)

    def _owners(self) -> Collection[int]:
        """Whose files are used: root may run a command for a server with another user."""
        return os.geteuid(), 0, self._root.parent.stat().st_uid

    def _check_directories(self, path: Path, owners: Collection[int]) -> None:
        for parent in path.relative_to(self._root.parent).parents[:-1]:
            directory = self._root.parent / parent
            if directory.is_dir():
                _check_directory(parent.as_posix(), directory.stat(), owners)

    def _check_git(self) -> None:
        if problem := self._problem_with_git():
            raise UnsafeSecretError(problem)

    def _problem_with_git(self) -> str:
        """Why the directory may end up in a repository; empty if it cannot."""
        now = self._clock()
        if now - self._looked_at >= _GIT_SECONDS:
            self._git_problem, self._looked_at = _problem_with_git(self._root), now
        return self._git_problem


def _check_file(shown: str, about: os.stat_result, owners: Collection[int]) -> None:
    if about.st_mode & _OTHERS:
        mode = stat.S_IMODE(about.st_mode)
        raise UnsafeSecretError(f"{shown} is not used, as others may read or write it (mode {mode:04o}): chmod 600 it")
    _check_owner(shown, about, owners)


def _check_directory(shown: str, about: os.stat_result, owners: Collection[int]) -> None:
    if about.st_mode & _WRITABLE_BY_OTHERS:
        mode = stat.S_IMODE(about.st_mode)
        raise UnsafeSecretError(f"{shown} is not used, as others may write to it (mode {mode:04o}): chmod 700 it")
    _check_owner(shown, about, owners)


def _check_owner(shown: str, about: os.stat_result, owners: Collection[int]) -> None:
    if about.st_uid not in owners:
        raise UnsafeSecretError(f"{shown} is not used, as it is another user's ({about.st_uid}): chown it")


def _problem_with_git(root: Path) -> str:
    whole = root.resolve()
    tree = next((parent for parent in (whole, *whole.parents) if (parent / ".git").exists()), None)
    if tree is None or _ignores_itself(root):
        return ""
    advice = f"write a line * into {DIRECTORY}/{IGNORED_BY_GIT[0]}"
    # The repository's settings start no program.
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(whole), "ls-files", "-z", "--cached", "--others"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        listed = subprocess.run(
            [*command, "--exclude-standard", "--", "."],
            capture_output=True,
            check=True,
            env=environment,
            timeout=_GIT_TIMEOUT,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return f"{DIRECTORY}/ is not used: it is in a git work tree, and git does not say what it ignores: {advice}"
    first = listed.split(b"\0")[0].decode(errors="replace")
    if first:
        return (
            f"{DIRECTORY}/ is not used: it is in a git work tree, which does not ignore {DIRECTORY}/{first}: {advice}"
        )
    return ""


def _ignores_itself(root: Path) -> bool:
    try:
        lines = (root / IGNORED_BY_GIT[0]).read_text(errors="replace").splitlines()
    except OSError:
        return False
    # A later line may take others back.
    return "*" in lines and not any(line.startswith("!") and line not in _HARMLESS for line in lines)
