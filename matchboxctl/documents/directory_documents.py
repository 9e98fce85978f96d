"""The documents in matchbox's data directory, where operators edit files meanwhile.

Nothing is kept in memory: what is read is the file, and what is written replaces the file as a whole.
"""

import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.labels import InvalidMACError
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.templates import TEMPLATE_KINDS
from lambda_matchbox.documents.groups_and_profiles import parse_group, parse_profile
from lambda_matchbox.errors import DocumentError
from lambda_matchbox.golang.json import without_surrogates
from matchboxctl.directory.catalog import below, json_names
from matchboxctl.directory.files import files_below
from matchboxctl.documents.faults import FileError
from matchboxctl.documents.file_texts import group_text, profile_text
from matchboxctl.documents.protocol import Report, TemplateSize, nobody

_JSON = ".json"
_NO_UTF8 = "its name is no UTF-8"
_DRAFT = ".put-"
_ABANDONED = 3600.0
"""Seconds after which nobody writes at a draft any more."""

_Read = TypeVar("_Read")


class DirectoryDocuments:
    """The documents of a data directory (see `matchboxctl.documents.protocol.Documents`)."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def root(self) -> str:
        """The data directory."""
        return str(self._root)

    def remove_drafts(self) -> None:
        """Remove what writers left that were killed some time ago: nobody else takes notice of it."""
        # What cannot be read or written is told of where it matters.
        with suppress(OSError):
            for draft in (*self._root.glob(f"{_DRAFT}*"), *self._root.glob(f"*/{_DRAFT}*")):
                if time.time() - draft.lstat().st_mtime > _ABANDONED:
                    draft.unlink()

    def names(self, kind: str) -> list[str]:
        """The names of the files, without the ending that groups and profiles have."""
        directory = self._root / kind
        if kind in TEMPLATE_KINDS:
            return [path for path, _ in files_below(directory, nobody) if path == without_surrogates(path)]
        with _told("open", directory):
            return [name for name in json_names(directory) if name == without_surrogates(name)]

    def holds(self, kind: str, name: str) -> bool:
        """Whether there is such a file."""
        path = below(self._root / kind, name) if kind in TEMPLATE_KINDS else self._json(kind, name)
        with _told("open", path):
            try:
                path.stat()
            except (FileNotFoundError, NotADirectoryError, ValueError):
                # ValueError: what a document names may have a NUL, which no file's name has.
                return False
            return True

    def group(self, group_id: str) -> Group | None:
        """The group in its file."""
        text = _read(self._json("groups", group_id))
        try:
            return None if text is None else parse_group(group_id, text)
        except DocumentError as error:
            if isinstance(error.__cause__, InvalidMACError):
                raise error.__cause__ from error
            raise

    def groups(self, told: Report = nobody, *, metadata: bool = True) -> list[Group]:  # noqa: ARG002 (it costs nothing)
        """The groups in all files that can be read."""
        return list(self._all("groups", self.group, told))

    def put_group(self, group: Group) -> None:
        """Write the group's file."""
        self._write(self._json("groups", group.id), group_text(group))

    def delete_group(self, group_id: str) -> bool:
        """Remove the group's file."""
        return _remove(self._json("groups", group_id))

    def profile(self, profile_id: str) -> Profile | None:
        """The profile in its file."""
        text = _read(self._json("profiles", profile_id))
        return None if text is None else parse_profile(profile_id, text)

    def profiles(self, told: Report = nobody, *, metadata: bool = True) -> list[Profile]:  # noqa: ARG002 (see groups)
        """The profiles in all files that can be read."""
        return list(self._all("profiles", self.profile, told))

    def put_profile(self, profile: Profile) -> None:
        """Write the profile's file."""
        self._write(self._json("profiles", profile.id), profile_text(profile))

    def delete_profile(self, profile_id: str) -> bool:
        """Remove the profile's file."""
        return _remove(self._json("profiles", profile_id))

    def template(self, kind: str, name: str) -> bytes | None:
        """The template's file."""
        return _read(below(self._root / kind, name))

    def templates(self, kind: str, told: Report = nobody) -> list[TemplateSize]:
        """The files below the kind's directory."""
        found = []
        for path, file in files_below(self._root / kind, told):
            if path != without_surrogates(path):
                told(f"{file}: {_NO_UTF8}")
                continue
            try:
                found.append(TemplateSize(path, file.stat().st_size))
            except OSError as error:
                told(f"{file}: cannot be read: {error.strerror}")
        return found

    def put_template(self, kind: str, name: str, body: bytes) -> None:
        """Write the template's file, and the directories in its name."""
        self._write(below(self._root / kind, name), body)

    def delete_template(self, kind: str, name: str) -> bool:
        """Remove the template's file."""
        return _remove(below(self._root / kind, name))

    def _json(self, directory: str, name: str) -> Path:
        return below(self._root / directory, f"{name}{_JSON}")

    def _all(self, directory: str, read: Callable[[str], _Read | None], told: Report) -> Iterator[_Read]:
        with _told("open", self._root / directory):
            names = json_names(self._root / directory)
        for name in names:
            path = self._json(directory, name)
            if name != without_surrogates(name):
                told(f"{path}: {_NO_UTF8}")
                continue
            try:
                found = read(name)
            except (DocumentError, InvalidMACError) as error:
                told(f"{path}: {error}")
                continue
            except FileError as error:
                told(str(error))
                continue
            if found is not None:
                yield found

    def _write(self, path: Path, body: bytes) -> None:
        with _told("open", path):
            # A link stays one, and what it names is written.
            target = Path(os.path.realpath(path))
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                # Beside the known directories, where nobody takes it for a document.
                _replace(target, body, self._root)
            except OSError:
                # These may be other mounts, and the data directory itself closed to whoever may write into them.
                _replace(target, body, target.parent)


def _replace(target: Path, body: bytes, directory: Path) -> None:
    """Put a file with these bytes in the target's place, written in this directory at first."""
    draft = directory / f"{_DRAFT}{secrets.token_hex(8)}"
    try:
        _write_whole(draft, body, target)
        draft.replace(target)
    except BaseException:
        # An operator may interrupt it.
        draft.unlink(missing_ok=True)
        raise


def _write_whole(draft: Path, body: bytes, target: Path) -> None:
    """Write the draft, with the owner and the mode that the target has or would have."""
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        if target.exists():
            old = target.stat()
            # Where root writes, the server may be somebody else; who is not root cannot give files away.
            with suppress(PermissionError):
                os.fchown(descriptor, old.st_uid, old.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
        file.write(body)
        file.flush()
        os.fsync(descriptor)


def _read(path: Path) -> bytes | None:
    """The file's bytes, None where there is none. Raises FileError."""
    with _told("open", path):
        try:
            # A pipe would be waited for.
            if stat.S_ISFIFO(path.stat().st_mode):
                return None
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None


def _remove(path: Path) -> bool:
    with _told("remove", path):
        try:
            path.unlink()
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True


@contextmanager
def _told(operation: str, path: Path) -> Iterator[None]:
    """Raise FileError, in the words of Go's operating system, for its errors in the body."""
    try:
        yield
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise FileError(f"{operation} {path}: {why}") from error
