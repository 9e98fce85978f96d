"""Groups, profiles and templates in matchbox's data directory; the next request sees an edit.

Groups are indexed in memory. Changes come from inotify, whose queue is read before each selection, so that 100,000
files need no stat; without inotify the directory is scanned. A start scans it, and reads what has changed since its
index was written. Profiles and templates are read on demand, and again when they have changed.
"""

import os
import posixpath
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from pathlib import Path

from lambda_matchbox.catalog.group_index import GroupIndex
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.overlaps import Overlap
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.selection import Selector
from lambda_matchbox.catalog.stores import Identities, Selection
from lambda_matchbox.catalog.templates import TEMPLATE_KINDS
from lambda_matchbox.documents.groups_and_profiles import WrongPolicyError, parse_group, parse_profile
from lambda_matchbox.errors import DocumentError, StoreUnavailableError
from lambda_matchbox.machines.state import MachineState
from lambda_matchbox.releases.pointers import Pointers
from matchboxctl.directory.changes import UNSURE, Changes, Scan
from matchboxctl.directory.file_cache import FileCache, read_file
from matchboxctl.directory.index_file import read_index, remove_index, write_index

_JSON = ".json"

_READ_AGAIN = 4
"""Files that are tried again at each selection."""

_READ_AT_START = 1_000
"""Files that a start may find changed without writing an index for the next one."""


class DirectoryCatalog:
    """The catalog over a data directory (see `catalog.stores.Catalog`).

    `warn` is called with a message for each file that does not parse or cannot be read, once per state of the file.
    `pointers` returns the pointers of image sources, `machines` the states under identities. With `keeps_index` a start
    that finds many changed files writes an index for the next one; any start uses it.
    """

    def __init__(
        self,
        root: Path,
        warn: Callable[[str], None],
        pointers: Callable[[], Pointers] = dict,
        machines: Callable[[Sequence[str]], Sequence[MachineState]] = lambda _: (),
        *,
        keeps_index: bool = False,
    ) -> None:
        self._root = root
        self._warn = warn
        self._pointers = pointers
        self._machines = machines
        self._reported: dict[str, str] = {}
        self._lock = threading.Lock()
        self._wrong_policies: dict[str, WrongPolicyError] = {}
        # Groups whose files could not be read, the last tried at the end: no change may come when they can.
        self._unread: dict[str, None] = {}
        self._profiles_directory = root / "profiles"
        self._template_directories = {kind: root / kind for kind in TEMPLATE_KINDS}
        self._parsed_profiles = FileCache(lambda name, path, _: parse_profile(name, path.read_bytes()))
        self._templates = FileCache(lambda _name, path, _status: path.read_bytes())
        self._groups_directory = root / "groups"
        self._index, seen = read_index(root, warn)
        self._changes: Changes = watch(self._groups_directory, seen)
        has_index = bool(seen)
        del seen
        self._start(has_index=has_index, keeps_index=keeps_index)
        # Warn of what does not parse at the start.
        for _ in self.profiles():
            pass

    def __len__(self) -> int:
        return len(self._index)

    def close(self) -> None:
        """Stop watching the directory."""
        self._changes.close()

    def watch_again(self) -> None:
        """Watch the directory anew in a forked process, which would otherwise share the queue of events."""
        seen = self._changes.states()
        self._changes.close()
        self._changes = watch(self._groups_directory, seen)
        self._refresh()

    def overlaps(self) -> list[Overlap]:
        """The groups that match the same machines."""
        return self._index.overlaps()

    def selectors(self, limit: int) -> list[Selector]:
        """Some selectors in use; of a group with lists the first combination."""
        return list(islice(self._index.selectors(), limit))

    def profiles(self) -> Iterator[Profile]:
        """Every profile that parses."""
        for name in sorted(json_names(self._profiles_directory)):
            try:
                profile = self._parsed_profile(name)
            except (DocumentError, StoreUnavailableError):
                continue
            if profile is not None:
                yield profile

    def select(self, labels: Mapping[str, str] | None, identities: Identities = tuple) -> Selection | None:
        """The selection for these labels, or None if no group matches.

        Raises StoreUnavailableError if the groups cannot be read, DocumentError if the profile does not parse, or the
        group has a boot policy that cannot be.
        """
        group, error = self._found(labels)
        if group is None:
            return None
        if error is not None:
            raise DocumentError(f"group {group.id!r}: {error}")
        states = () if group.boot is None else tuple(self._machines(identities()))
        return Selection(group, self.profile(group.profile), self._pointers(), states)

    def group_for(self, labels: Mapping[str, str] | None) -> Group | None:
        """The group alone. Raises StoreUnavailableError if the groups cannot be read."""
        return self._found(labels)[0]

    def _found(self, labels: Mapping[str, str] | None) -> tuple[Group | None, WrongPolicyError | None]:
        """The group, and what is wrong with its policy, of the same moment: another thread may read an edit."""
        with self._refreshed() as index:
            group = index.select(labels)
            return group, None if group is None else self._wrong_policies.get(group.id)

    def all_groups(self, labels: Mapping[str, str] | None = None) -> Iterator[Group]:
        """All groups, those that match these labels first."""
        with self._refreshed() as index:
            return index.all(labels)

    @contextmanager
    def _refreshed(self) -> Iterator[GroupIndex]:
        """The index as the files are now, for this thread alone."""
        try:
            with self._lock:
                self._refresh()
                yield self._index
        except OSError as error:
            raise StoreUnavailableError(f"{error.filename} cannot be read: {error.strerror}") from error

    def group(self, group_id: str) -> Group | None:
        """The group with that id, or None."""
        return self._index.group(group_id)

    def profile(self, profile_id: str) -> Profile | None:
        """The profile with that id, or None. Raises DocumentError if it does not parse."""
        return self._parsed_profile(profile_id) if profile_id else None

    def template(self, kind: str, template_id: str) -> bytes | None:
        """The template of that kind and id. Raises StoreUnavailableError if the file cannot be read."""
        return self._templates.read(template_id, below(self._template_directories[kind], template_id))

    def _start(self, *, has_index: bool, keeps_index: bool) -> None:
        changed = self._changed()
        for name in changed:
            # A file that does not parse has no group, whatever it had at the time of the index.
            self._index.discard(name)
        for name in changed:
            self._load(name)
        if keeps_index and len(changed) > _READ_AT_START:
            states = self._changes.states()
            states.update((f"{name}{_JSON}", UNSURE) for name in self._wrong_policies)
            write_index(self._root, self._index, states)
        elif keeps_index and not has_index:
            remove_index(self._root)

    def _changed(self) -> list[str]:
        return [name.removesuffix(_JSON) for name in self._changes.names() if name.endswith(_JSON)]

    def _refresh(self) -> None:
        for name in (*self._changed(), *islice(self._unread, _READ_AGAIN)):
            self._load(name)

    def _load(self, name: str) -> None:
        """Load the group from its file; one that does not parse is left out, unless it has or had a boot policy."""
        wrong, before = self._wrong_policies.pop(name, None), self._index.group(name)
        has_policy = before is not None and (before.boot is not None or wrong is not None)
        self._unread.pop(name, None)
        path = f"{self._groups_directory}/{name}{_JSON}"
        try:
            text = read_file(path)
            if text is None and has_policy and os.path.lexists(path):
                raise DocumentError("it is no file, or a link to none")
            if text is None:
                self._index.discard(name)
                self._reported.pop(path, None)
                return
            self._index.put(parse_group(name, text))
        except WrongPolicyError as error:
            self._wrong_policies[name] = error
            self._index.put(error.group)
            self._warn_once(path, str(error))
        except (DocumentError, StoreUnavailableError) as error:
            reason = str(error)
            if isinstance(error, StoreUnavailableError):
                self._unread[name] = None
            if wrong is not None:
                self._wrong_policies[name] = wrong
            if has_policy:
                # Another group may let its machines do what this one's policy prevents.
                reason += "; until it parses or is removed, the group is as it was, since it has a boot policy"
            else:
                self._index.discard(name)
            self._warn_once(path, reason)
        else:
            self._reported.pop(path, None)

    def _parsed_profile(self, name: str) -> Profile | None:
        path = below(self._profiles_directory, f"{name}{_JSON}")
        try:
            profile = self._parsed_profiles.read(name, path)
        except (DocumentError, StoreUnavailableError) as error:
            self._warn_once(str(path), str(error))
            raise type(error)(f"profile {name!r}: {error}") from error
        if self._reported:
            self._reported.pop(str(path), None)
        return profile

    def _warn_once(self, path: str, reason: str) -> None:
        if self._reported.get(path) != reason:
            self._reported[path] = reason
            self._warn(f"{path}: {reason}")


def json_names(directory: Path) -> list[str]:
    """The names of its .json files, without the suffix, in no order; none if it does not exist."""
    try:
        with os.scandir(directory) as entries:
            return [entry.name.removesuffix(_JSON) for entry in entries if entry.name.endswith(_JSON)]
    except FileNotFoundError:
        return []


@lru_cache(maxsize=1024)
def below(directory: Path, name: str) -> Path:
    """The file with that name, cleaned as matchbox does: it is never outside the directory."""
    return directory / posixpath.normpath("/" + name).lstrip("/")


def watch(directory: Path, seen: Mapping[str, bytes]) -> Changes:
    """Watches the directory with inotify if the system has it; `seen` are the states of its files."""
    try:
        from matchboxctl.directory.inotify import Watch
    except ImportError:
        return Scan(directory, seen)
    return Watch(directory, seen)
