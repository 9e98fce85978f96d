"""Documents in matchbox's data directory, whose files operators may edit at any time.

Nothing is cached: each read opens the file, each write replaces it as a whole.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.templates import TEMPLATE_KINDS, CatalogDocument, Template
from lambda_matchbox.documents.groups_and_profiles import parse_group, parse_profile
from lambda_matchbox.documents.sources import parse_source
from lambda_matchbox.errors import DocumentError
from lambda_matchbox.golang.hardware_address import InvalidMACError
from lambda_matchbox.golang.json import without_surrogates
from lambda_matchbox.releases.sources import Source
from matchboxctl.directory.catalog import below, json_names
from matchboxctl.directory.drafts import remove_drafts, replacing, sync_directory
from matchboxctl.directory.files import files_below
from matchboxctl.documents.file_texts import group_text, profile_text, source_text
from matchboxctl.documents.protocol import FileError, TemplateSize, Warn, ignore

_JSON = ".json"
_MAX_NAME = 255
_NOT_UTF8 = "its name is not UTF-8"

_Read = TypeVar("_Read")


class DirectoryDocuments:
    """The documents of a data directory (see `matchboxctl.documents.protocol.Documents`)."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._has_written = False

    @property
    def root(self) -> str:
        """The data directory."""
        return str(self._root)

    def names(self, kind: str) -> list[str]:
        """The names of the files, without the ending that all but templates have."""
        directory = self._root / kind
        if kind in TEMPLATE_KINDS:
            return [path for path, _ in files_below(directory, ignore) if path == without_surrogates(path)]
        with _file_errors("open", directory):
            return [name for name in json_names(directory) if name == without_surrogates(name)]

    def holds(self, kind: str, name: str) -> bool:
        """Whether the file exists."""
        path = below(self._root / kind, name) if kind in TEMPLATE_KINDS else self._json(kind, name)
        with _file_errors("open", path):
            try:
                path.stat()
            except (FileNotFoundError, NotADirectoryError, ValueError):
                # ValueError: a name with a NUL.
                return False
            return True

    def check(self, document: CatalogDocument) -> None:
        """Look at the length of the file's name: a file holds every document."""
        match document:
            case Template(kind, name, _):
                path = below(self._root / kind, name)
            case Group():
                path = self._json("groups", document.id)
            case Profile():
                path = self._json("profiles", document.id)
        if any(len(os.fsencode(part)) > _MAX_NAME for part in path.parts):
            raise FileError(f"open {path}: file name too long")

    def group(self, group_id: str) -> Group | None:
        """The group in its file."""
        text = _read(self._json("groups", group_id))
        try:
            return None if text is None else parse_group(group_id, text)
        except DocumentError as error:
            if isinstance(error.__cause__, InvalidMACError):
                raise error.__cause__ from error
            raise

    def groups(self, warn: Warn = ignore, *, metadata: bool = True) -> list[Group]:  # noqa: ARG002 (always read)
        """The groups in all readable files."""
        return list(self._all("groups", self.group, warn))

    def put_group(self, group: Group) -> None:
        """Write the group's file."""
        self._write(self._json("groups", group.id), group_text(group))

    def delete_group(self, group_id: str) -> bool:
        """Remove the group's file."""
        return self._remove(self._json("groups", group_id))

    def profile(self, profile_id: str) -> Profile | None:
        """The profile in its file."""
        text = _read(self._json("profiles", profile_id))
        return None if text is None else parse_profile(profile_id, text)

    def profiles(self, warn: Warn = ignore, *, metadata: bool = True) -> list[Profile]:  # noqa: ARG002 (see groups)
        """The profiles in all readable files."""
        return list(self._all("profiles", self.profile, warn))

    def put_profile(self, profile: Profile) -> None:
        """Write the profile's file."""
        self._write(self._json("profiles", profile.id), profile_text(profile))

    def delete_profile(self, profile_id: str) -> bool:
        """Remove the profile's file."""
        return self._remove(self._json("profiles", profile_id))

    def template(self, kind: str, name: str) -> bytes | None:
        """The template's file."""
        return _read(below(self._root / kind, name))

    def templates(self, kind: str, warn: Warn = ignore) -> list[TemplateSize]:
        """The files below the kind's directory."""
        found = []
        for path, file in files_below(self._root / kind, warn):
            if path != without_surrogates(path):
                warn(f"{file}: {_NOT_UTF8}")
                continue
            try:
                found.append(TemplateSize(path, file.stat().st_size))
            except OSError as error:
                warn(f"{file}: cannot be read: {error.strerror}")
        return found

    def put_template(self, kind: str, name: str, body: bytes) -> None:
        """Write the template's file, and create the directories in its name."""
        self._write(below(self._root / kind, name), body)

    def delete_template(self, kind: str, name: str) -> bool:
        """Remove the template's file."""
        return self._remove(below(self._root / kind, name))

    def source(self, source_id: str) -> Source | None:
        """The source in its file."""
        text = _read(self._json("sources", source_id))
        return None if text is None else parse_source(source_id, text)

    def sources(self, warn: Warn = ignore) -> list[Source]:
        """The sources in all readable files."""
        return list(self._all("sources", self.source, warn))

    def put_source(self, source: Source) -> None:
        """Write the source's file."""
        self._write(self._json("sources", source.id), source_text(source))

    def delete_source(self, source_id: str) -> bool:
        """Remove the source's file."""
        return self._remove(self._json("sources", source_id))

    def _json(self, directory: str, name: str) -> Path:
        return below(self._root / directory, f"{name}{_JSON}")

    def _all(self, directory: str, read: Callable[[str], _Read | None], warn: Warn) -> Iterator[_Read]:
        with _file_errors("open", self._root / directory):
            names = json_names(self._root / directory)
        for name in names:
            path = self._json(directory, name)
            if name != without_surrogates(name):
                warn(f"{path}: {_NOT_UTF8}")
                continue
            try:
                found = read(name)
            except (DocumentError, InvalidMACError) as error:
                warn(f"{path}: {error}")
                continue
            except FileError as error:
                warn(str(error))
                continue
            if found is not None:
                yield found

    def _write(self, path: Path, body: bytes) -> None:
        self._remove_drafts()
        # A symbolic link stays; its target is written.
        with _file_errors("open", path), replacing(Path(os.path.realpath(path))) as file:
            file.write(body)

    def _remove(self, path: Path) -> bool:
        self._remove_drafts()
        with _file_errors("remove", path):
            try:
                path.unlink()
            except (FileNotFoundError, NotADirectoryError):
                return False
            sync_directory(path.parent)
            return True

    def _remove_drafts(self) -> None:
        if not self._has_written:
            self._has_written = True
            remove_drafts(self._root)


def _read(path: Path) -> bytes | None:
    """The file's bytes, or None. Raises FileError."""
    with _file_errors("open", path):
        try:
            # Reading a pipe would block.
            if stat.S_ISFIFO(path.stat().st_mode):
                return None
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None


@contextmanager
def _file_errors(operation: str, path: Path) -> Iterator[None]:
    """Raise FileError for the operating system's errors in the body."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise FileError(f"{operation} {path}: {reason}") from error
