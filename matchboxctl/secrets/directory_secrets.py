"""Secrets as files in a data directory, which only their owner may read."""

import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from lambda_matchbox.secrets.references import SECRETS_MANAGER
from matchboxctl.cli.errors import FailedError
from matchboxctl.directory.drafts import remove_drafts, replacing, sync_directory
from matchboxctl.directory.files import files_below
from matchboxctl.directory.secrets import DIRECTORY, IGNORED_BY_GIT, DirectorySecrets
from matchboxctl.secrets.references import is_name
from matchboxctl.secrets.stores import Change, SecretInfo

_FILE = "file"


class DirectorySecretWriter:
    """The secrets of a data directory (see `matchboxctl.secrets.stores.SecretWriter`)."""

    def __init__(self, data_path: Path) -> None:
        self._root = data_path / DIRECTORY
        self._reader = DirectorySecrets(data_path)

    def check(self, name: str, value: str) -> None:  # noqa: ARG002 (a file holds any text)
        """What a file can be named."""
        if name.startswith(SECRETS_MANAGER):
            raise FailedError(
                f"{name!r} is of Secrets Manager, which a data directory has not: leave {SECRETS_MANAGER} out"
            )

    def set(self, name: str, value: str) -> Change:
        """Write its file, whole or not at all; nothing where the directory may not hold secrets."""
        self.check(name, value)
        file = self._root / name
        before = self._reader.values([name]).get(name)
        if before == value:
            return Change.UNCHANGED
        if file.is_dir():
            raise FailedError(f"secrets with names that begin with '{name}/' exist: no secret can have that name")
        self._make_directories(self._root)
        if not any(self._root.iterdir()):
            self._ignore()
        self._reader.check(name)
        self._make_directories(file.parent)
        remove_drafts(self._root)
        with replacing(file, private=True) as draft:
            draft.write(value.encode())
        return Change.CREATED if before is None else Change.CHANGED

    def names(self) -> Sequence[SecretInfo]:
        """The files below `secrets/` that templates can name."""
        unreadable: list[str] = []
        files = files_below(self._root, unreadable.append)
        found = [_info(path, file) for path, file in files if is_name(path) and not path.startswith(SECRETS_MANAGER)]
        if unreadable:
            raise FailedError(unreadable[0])
        return sorted(found)

    def describe(self, name: str) -> SecretInfo | None:
        """The secret's file."""
        file = self._root / name
        return _info(name, file) if file.is_file() else None

    def delete(self, name: str) -> bool:
        """Delete the file, and the directories that are then empty."""
        file = self._root / name
        try:
            file.unlink()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return False
        sync_directory(file.parent)
        with suppress(OSError):
            for directory in file.parents[: len(Path(name).parts) - 1]:
                directory.rmdir()
        return True

    def values(self, names: Collection[str]) -> Mapping[str, str]:
        """Read the files."""
        return self._reader.values(names)

    def place(self, name: str) -> str:
        """The path of its file."""
        return str(self._root / name)

    def _ignore(self) -> None:
        """Have git ignore the directory, wherever it is."""
        name, text = IGNORED_BY_GIT
        with replacing(self._root / name, private=True) as draft:
            draft.write(text.encode())

    def _make_directories(self, directory: Path) -> None:
        """Make the directory and those above it, each its owner's alone, as a server may run with another user."""
        if directory != self._root:
            self._make_directories(directory.parent)
        try:
            directory.mkdir(0o700)
        except FileExistsError:
            if not directory.is_dir():
                taken = directory.relative_to(self._root)
                raise FailedError(f"secret {str(taken)!r} exists: no other name can begin with '{taken}/'") from None
            return
        owner = directory.parent.stat()
        with suppress(OSError):
            os.chown(directory, owner.st_uid, owner.st_gid)


def _info(name: str, file: Path) -> SecretInfo:
    status = file.stat()
    return SecretInfo(name, status.st_size, int(status.st_mtime), _FILE)
