"""Changes of a directory from Linux's inotify.

The kernel queues an event while a file is being written, so a completed edit is already in the queue. There is no event
if the directory is replaced further up, by a rename or a changed link, so each call compares its identity.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from inotify_simple import INotify, flags

from matchboxctl.directory.changes import UNSURE, Scan
from matchboxctl.directory.drafts import is_draft

_EVENTS = (
    flags.CREATE
    | flags.MODIFY
    | flags.CLOSE_WRITE
    | flags.ATTRIB
    | flags.DELETE
    | flags.MOVED_FROM
    | flags.MOVED_TO
    | flags.DELETE_SELF
    | flags.MOVE_SELF
    | flags.ONLYDIR
)
_GONE = flags.DELETE_SELF | flags.MOVE_SELF | flags.IGNORED | flags.UNMOUNT


class Watch:
    """Changes of a directory, which may be created later (see `matchboxctl.directory.changes.Changes`).

    Symbolic links are always reported, since their targets have no events.
    """

    def __init__(self, directory: Path, seen: Mapping[str, bytes] = {}) -> None:
        self._directory = directory
        self._name = os.fspath(directory)
        self._scan = Scan(directory, seen)
        self._inotify: INotify | None = None
        self._watched: tuple[int, int] | None = None
        self._links: set[str] = set()
        self._reported: set[str] = set()

    def names(self) -> set[str]:
        """The names that were added, changed or removed since the last call."""
        if self._inotify is None or self._identity() != self._watched:
            return self._restart()
        events = self._inotify.read(timeout=0)
        if not events:
            return self._links.copy()
        changed: set[str] = set()
        for event in events:
            if event.mask & (_GONE | flags.Q_OVERFLOW):
                return self._restart()
            # Each has a name of its own, and the names are kept.
            if not is_draft(event.name):
                changed.add(event.name)
        self._links |= {name for name in changed if (self._directory / name).is_symlink()}
        self._reported |= changed
        return changed | self._links

    def states(self) -> dict[str, bytes]:
        """The states of the files of the last scan; those that changed later are unsure."""
        return {**self._scan.states(), **dict.fromkeys(self._reported, UNSURE)}

    def close(self) -> None:
        """Close the event queue."""
        if self._inotify is not None:
            self._inotify.close()
        self._inotify = None

    def _start(self) -> set[str]:
        """Watch first, then scan: a change in between is reported twice rather than never. Raises OSError."""
        # Read before: if the directory is replaced in between, the new one is scanned once more than needed.
        self._watched = self._identity()
        inotify = self._watching()
        try:
            # The last scan knows nothing of later events, and may take those files for unchanged or absent.
            changed = self._scan.names() | self._reported
        except OSError:
            if inotify is not None:
                inotify.close()
            raise
        self._inotify = inotify
        self._reported.clear()
        self._links = self._scan.links
        return changed

    def _watching(self) -> INotify | None:
        """The event queue; None if the directory does not exist or the watch limit is reached."""
        inotify = INotify(nonblocking=True)
        try:
            inotify.add_watch(self._name, _EVENTS)
        except OSError:
            inotify.close()
            return None
        return inotify

    def _restart(self) -> set[str]:
        self.close()
        return self._start()

    def _identity(self) -> tuple[int, int] | None:
        """Device and inode of the directory, or None."""
        try:
            # Path.stat() takes twice as long, for each selection.
            status = os.stat(self._name)  # noqa: PTH116
        except OSError:
            return None
        return status.st_dev, status.st_ino
