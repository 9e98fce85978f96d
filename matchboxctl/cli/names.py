"""Names that an operator may mean: completions and suggestions."""

import threading
from collections.abc import Callable, Iterable
from difflib import get_close_matches

from lambda_matchbox.errors import MatchboxError
from matchboxctl.cli.errors import CommandError

_TIMEOUT = 5.0


def names_in_time(read: Callable[[], Iterable[str]]) -> list[str]:
    """What `read` finds; none if that fails or takes more than five seconds."""
    found: list[str] = []

    def collect() -> None:
        try:
            # Others would need escapes that shells do not share.
            found.extend(name for name in read() if name.isprintable())
        except (MatchboxError, CommandError, ModuleNotFoundError, OSError):
            return

    reader = threading.Thread(target=collect, daemon=True)
    reader.start()
    reader.join(_TIMEOUT)
    return sorted(found) if not reader.is_alive() else []


def did_you_mean(name: str, read: Callable[[], Iterable[str]]) -> str:
    """The end of a message that nothing has this name: a name like it, if there is one."""
    alike = get_close_matches(name, names_in_time(read), 1)
    return f"; did you mean {alike[0]!r}?" if alike else ""
