"""Was a mode meant in octal and written in decimal?"""

from collections.abc import Iterator

from lambda_matchbox.ignition.butane.report import Entry, Path
from lambda_matchbox.ignition.butane.structs import Sourced
from lambda_matchbox.ignition.config.fault import number

_MAX_DIGITS_AS_MODE = 7777
_READ, _WRITE, _EXECUTE = 4, 2, 1
_SETUID, _SETGID, _STICKY = 0o4000, 0o2000, 0o1000


def decimal_mode_entries(node: Sourced, path: Path, *, is_directory: bool) -> Iterator[Entry]:
    """A warning if the mode of a file or a directory makes sense only as the octal number that it looks like."""
    mode = number(node, "mode")
    if mode is None or not 0 <= mode <= _MAX_DIGITS_AS_MODE or not set(str(mode)) <= set("01234567"):
        return
    if _is_typical(int(str(mode), 8), is_directory=is_directory) and not _is_typical(mode, is_directory=is_directory):
        reason = "unreasonable mode would be reasonable if specified in octal; remember to add a leading zero"
        yield Entry.warning((*path, "mode"), reason)


def _is_typical(mode: int, *, is_directory: bool) -> bool:
    if mode == 0:
        return True
    user, group, other = mode >> 6 & 7, mode >> 3 & 7, mode & 7
    classes = (user, group, other)
    if other & ~group or group & ~user or not mode & 0o444:
        return False
    if any(one & (_WRITE | _EXECUTE) and not one & _READ for one in classes):
        return False
    # Nobody may read without executing where someone more specific executes, and the other way round.
    if any(
        one & _EXECUTE and other_one & _READ and not other_one & _EXECUTE for one, other_one in _more_and_less(classes)
    ):
        return False
    if is_directory:
        special = mode & (_SETGID | _STICKY)
        return bool(mode & 0o111) and not mode & _SETUID and (not special or bool(mode & 0o222))
    if mode & _STICKY:
        return False
    return not mode & (_SETUID | _SETGID) or (bool(mode & 0o111) and not mode & 0o002)


def _more_and_less(classes: tuple[int, int, int]) -> Iterator[tuple[int, int]]:
    user, group, other = classes
    yield from ((user, group), (user, other), (group, other))
