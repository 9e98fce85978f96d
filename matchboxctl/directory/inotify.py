"""Changes of a directory as Linux tells them.

The kernel queues an event while a file is being written, so an edit that has ended is in the queue already. It tells
nothing of a directory that another one has replaced further up, by a rename or by a link that leads elsewhere now, so
each time it is asked which directory has the name.
"""

import os
from pathlib import Path

from inotify_simple import INotify, flags

from matchboxctl.directory.changes import Scan

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
    """The changes of a directory, which may come into being later (see `matchboxctl.directory.changes.Changes`).

    Symbolic links are followed by looking at the files they name, since their targets' changes are not told.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._name = os.fspath(directory)
        self._scan = Scan(directory)
        self._inotify: INotify | None = None
        self._watched: tuple[int, int] | None = None
        self._links: set[str] = set()
        self._told: set[str] = set()

    def names(self) -> set[str]:
        """The names that were added, changed or removed since the last call."""
        if self._inotify is None or self._identity() != self._watched:
            return self._restart()
        changed: set[str] = set()
        for event in self._inotify.read(timeout=0):
            if event.mask & (_GONE | flags.Q_OVERFLOW):
                return self._restart()
            changed.add(event.name)
        self._links |= {name for name in changed if (self._directory / name).is_symlink()}
        self._told |= changed
        return changed | self._links

    def close(self) -> None:
        """Close the queue of changes."""
        if self._inotify is not None:
            self._inotify.close()
        self._inotify = None

    def _start(self) -> set[str]:
        """Watch first, then look at all: what changes in between is told twice rather than never. Raises OSError."""
        # Asked before: where another directory comes in between, it is watched, and looked at once more than needed.
        self._watched = self._identity()
        inotify = self._watching()
        try:
            # The last look does not know of what was told since, and may take it for unchanged or for never there.
            changed = self._scan.names() | self._told
        except OSError:
            if inotify is not None:
                inotify.close()
            raise
        self._inotify = inotify
        self._told.clear()
        self._links = {name for name in changed if (self._directory / name).is_symlink()}
        return changed

    def _watching(self) -> INotify | None:
        """A queue of the directory's changes; None without such a directory yet, or without a watch left."""
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
        """Which directory has the name now; None where there is none."""
        try:
            # Path.stat() takes twice as long, and each selection asks.
            status = os.stat(self._name)  # noqa: PTH116
        except OSError:
            return None
        return status.st_dev, status.st_ino
