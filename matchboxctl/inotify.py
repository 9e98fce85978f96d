"""Changes of a directory as Linux tells them.

The kernel queues an event while a file is being written, so an edit that has ended is in the queue already.
"""

import os
from pathlib import Path

from inotify_simple import INotify, flags

from matchboxctl.changes import Scan

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
    """The changes of a directory, which may come into being later (see `matchboxctl.changes.Changes`).

    Symbolic links are followed by looking at the files they name, since their targets' changes are not told.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._scan = Scan(directory)
        self._inotify: INotify | None = None
        self._links: set[str] = set()

    def names(self) -> set[str]:
        """The names that were added, changed or removed since the last call."""
        if self._inotify is None:
            return self._start()
        changed: set[str] = set()
        for event in self._inotify.read(timeout=0):
            if event.mask & (_GONE | flags.Q_OVERFLOW):
                return self._restart()
            changed.add(event.name)
        self._links |= {name for name in changed if (self._directory / name).is_symlink()}
        return changed | self._links

    def _start(self) -> set[str]:
        """Watch first, then look at all: what changes in between is told twice rather than never."""
        inotify = INotify(nonblocking=True)
        try:
            inotify.add_watch(os.fspath(self._directory), _EVENTS)
        except OSError:
            # No such directory yet, or no watch left: look at the files until there is one.
            inotify.close()
        else:
            self._inotify = inotify
        changed = self._scan.names()
        self._links = {name for name in changed if (self._directory / name).is_symlink()}
        return changed

    def _restart(self) -> set[str]:
        if self._inotify is not None:
            self._inotify.close()
        self._inotify = None
        return self._start()
