"""Groups, profiles and templates in matchbox's data directory, the truth: an edit is seen by the next request.

Groups are indexed in memory. What has changed is told by inotify, whose queue is read before each selection, so nothing
is asked of 100,000 files; where there is no inotify the directory is looked through instead. Profiles and templates are
read when they are asked for.
"""

import errno
import os
import posixpath
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from lambda_matchbox.catalog.group_index import GroupIndex
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.overlaps import Overlap
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.selection import Selector
from lambda_matchbox.catalog.stores import Selection
from lambda_matchbox.documents.groups_and_profiles import parse_group, parse_profile
from lambda_matchbox.errors import DocumentError, StoreUnavailableError
from lambda_matchbox.releases.pointers import Pointers
from matchboxctl.directory.changes import Changes, Scan

_JSON = ".json"

Report = Callable[[str], None]


class DirectoryCatalog:
    """The catalogue over a data directory (see `catalog.stores.Catalog`).

    `report` is given one line for each file that does not parse or cannot be read, once for each state of the file.
    `pointers` says what is served of image sources.
    """

    def __init__(self, root: Path, report: Report, pointers: Callable[[], Pointers] = dict) -> None:
        self._root = root
        self._report = report
        self._pointers = pointers
        self._reported: dict[Path, str] = {}
        self._lock = threading.Lock()
        self._index = GroupIndex()
        self._changes: Changes = watch(root / "groups")
        self._refresh()
        # What does not parse is told at the start.
        for _ in self.profiles():
            pass

    def __len__(self) -> int:
        return len(self._index)

    def close(self) -> None:
        """Watch the directory no longer; one that serves lives as long as its process."""
        self._changes.close()

    def overlaps(self) -> list[Overlap]:
        """The groups that ask for the same machines."""
        return self._index.overlaps()

    def selectors(self, most: int) -> list[Selector]:
        """Some of the selectors in use, of groups with lists the first of each."""
        return list(islice(self._index.selectors(), most))

    def profiles(self) -> Iterator[Profile]:
        """Every profile that parses."""
        for name in sorted(json_names(self._root / "profiles")):
            try:
                profile = self._parsed_profile(name)
            except (DocumentError, StoreUnavailableError):
                continue
            if profile is not None:
                yield profile

    def select(self, labels: Mapping[str, str] | None) -> Selection | None:
        """The selection for these labels, or None where no group matches.

        Raises StoreUnavailableError where the groups cannot be read, DocumentError where the profile does not parse.
        """
        group = self.group_for(labels)
        return None if group is None else Selection(group, self.profile(group.profile), self._pointers())

    def group_for(self, labels: Mapping[str, str] | None) -> Group | None:
        """The group alone. Raises StoreUnavailableError where the groups cannot be read."""
        try:
            with self._lock:
                self._refresh()
                return self._index.select(labels)
        except OSError as error:
            raise StoreUnavailableError(f"{error.filename} cannot be read: {error.strerror}") from error

    def profile(self, profile_id: str) -> Profile | None:
        """The profile of that id, None where its file is absent. Raises DocumentError where it does not parse."""
        return self._parsed_profile(profile_id) if profile_id else None

    def template(self, kind: str, template_id: str) -> bytes | None:
        """The template of that kind and id. Raises StoreUnavailableError where the file cannot be read."""
        return _content(below(self._root / kind, template_id))

    def _refresh(self) -> None:
        for name in self._changes.names():
            if name.endswith(_JSON):
                self._load(name.removesuffix(_JSON))

    def _load(self, name: str) -> None:
        """Take the group from its file; one that does not parse is left out, and the rest still works."""
        path = self._root / "groups" / f"{name}{_JSON}"
        try:
            text = _content(path)
            if text is None:
                self._index.discard(name)
                self._reported.pop(path, None)
                return
            self._index.put(parse_group(name, text))
        except (DocumentError, StoreUnavailableError) as error:
            self._index.discard(name)
            self._tell(path, str(error))
        else:
            self._reported.pop(path, None)

    def _parsed_profile(self, name: str) -> Profile | None:
        path = below(self._root / "profiles", f"{name}{_JSON}")
        try:
            text = _content(path)
            profile = None if text is None else parse_profile(name, text)
        except (DocumentError, StoreUnavailableError) as error:
            self._tell(path, str(error))
            raise type(error)(f"profile {name!r}: {error}") from error
        self._reported.pop(path, None)
        return profile

    def _tell(self, path: Path, reason: str) -> None:
        if self._reported.get(path) != reason:
            self._reported[path] = reason
            self._report(f"{path}: {reason}")


def json_names(directory: Path) -> list[str]:
    """The names of its .json files, without their ending, in no order; none where it is not there."""
    try:
        with os.scandir(directory) as entries:
            return [entry.name.removesuffix(_JSON) for entry in entries if entry.name.endswith(_JSON)]
    except FileNotFoundError:
        return []


def below(directory: Path, name: str) -> Path:
    """The file of that name, cleaned as matchbox does: it never lies outside the directory."""
    return directory / posixpath.normpath("/" + name).lstrip("/")


def _content(path: Path) -> bytes | None:
    """The file's bytes, None where there is none. Raises StoreUnavailableError where it cannot be read."""
    try:
        # A pipe would be waited for.
        return path.read_bytes() if stat.S_ISREG(path.stat().st_mode) else None
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError):
        return None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return None
        raise StoreUnavailableError(f"cannot be read: {error.strerror}") from error


def watch(directory: Path) -> Changes:
    """The changes of a directory, by the best means that the system has."""
    try:
        from matchboxctl.directory.inotify import Watch
    except ImportError:
        return Scan(directory)
    return Watch(directory)
