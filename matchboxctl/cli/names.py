"""Names that an operator may mean: completions and suggestions."""

import threading
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from difflib import get_close_matches

_TIMEOUT = 5.0


def completions(read: Callable[[], Iterable[str]], incomplete: str, given: Collection[str]) -> list[str]:
    """The names that begin with `incomplete`, without those that were given."""
    return [name for name in _names_in_time(read) if name.startswith(incomplete) and name not in given]


def did_you_mean(name: str, read: Callable[[], Iterable[str]]) -> str:
    """The end of a message that nothing has this name: a name like it, if there is one."""
    names = _names_in_time(read)
    alike = get_close_matches(name, names, 1) if name not in names else []
    return f"; did you mean {alike[0]!r}?" if alike else ""


def _names_in_time(read: Callable[[], Iterable[str]]) -> list[str]:
    """What `read` finds; none if that fails or takes more than five seconds."""
    found: list[str] = []

    def collect() -> None:
        # Whatever is wrong, a completion or a suggestion less is no error.
        with suppress(Exception):
            # Others would need escapes that shells do not share.
            found.extend(name for name in read() if name.isprintable())

    reader = threading.Thread(target=collect, daemon=True)
    reader.start()
    reader.join(_TIMEOUT)
    return sorted(found) if not reader.is_alive() else []
