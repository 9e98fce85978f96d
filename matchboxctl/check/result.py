"""The result of one check, as lines for a terminal and as a document."""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from matchboxctl.cli.tables import shown
from matchboxctl.netboot.placeholders import Placeholder
from matchboxctl.render.secret_masks import names_a_secret

_PARAMETER = re.compile(r"([?&;])([^=&?;\s#]+)=([^&;\s#]+)")
_USER = re.compile(r"(?<=://)[^/@\s?#]+@")
_MAX_PLACEHOLDERS = 5


class Status(StrEnum):
    """How a check ended. With a warning, the machine goes on or only the machine can tell."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


_SHOWN: Mapping[Status, str] = {Status.OK: "ok", Status.WARNING: "warn", Status.FAILED: "FAILED", Status.SKIPPED: "-"}
_WIDTH = 7


class Result(NamedTuple):
    """One check: what a machine fetches (`kernel`, `talos.config`; empty for a script), from where, and what was found.

    `size` and `sha256` are those of a file, `configuration` is the kind of one; secrets in the address are shortened.
    """

    status: Status
    what: str
    address: str
    found: str
    size: int | None = None
    sha256: str | None = None
    configuration: str | None = None
    placeholders: Sequence[Placeholder] = ()
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """What is fetched, and where."""
        return shown(" ".join(filter(None, (self.what, without_secrets(self.address)))))

    @property
    def reason(self) -> str:
        """What was found, with the placeholders that are left."""
        left = ", ".join(str(one) for one in self.placeholders[:_MAX_PLACEHOLDERS])
        more = len(self.placeholders) - _MAX_PLACEHOLDERS
        if left:
            verb = "s are" if len(self.placeholders) > 1 else " is"
            left = f"placeholder{verb} left: {left}{f' and {more} more' if more > 0 else ''}"
        return shown("; ".join(filter(None, (without_secrets(self.found), left))))

    def lines(self, width: int | None) -> Iterator[str]:
        """The lines for a terminal of that width, or one line without one."""
        head = f"{_SHOWN[self.status]:<{_WIDTH}}{self.name}"
        rest = f"{self.seconds:.3f} s" + (f"  {self.reason}" if self.reason else "")
        if width is None or len(head) + len(rest) + 2 <= width:
            yield f"{head}  {rest}"
            return
        yield head
        indent = " " * _WIDTH
        yield from textwrap.wrap(rest, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)

    def document(self) -> dict[str, object]:
        """All of it, for programs."""
        return {
            "status": str(self.status),
            "what": self.what or "script",
            "address": without_secrets(self.address),
            "found": without_secrets(self.found),
            "bytes": self.size,
            "sha256": self.sha256,
            "configuration": self.configuration,
            "placeholders": [{"text": one.text, "where": one.where} for one in self.placeholders],
            "seconds": round(self.seconds, 3),
        }


def without_secrets(text: str) -> str:
    """A text without the secrets of the addresses in it: `token=…`."""

    def shortened(found: re.Match[str]) -> str:
        start, name, value = found.groups()
        return f"{start}{name}={'…' if names_a_secret(name) else value}"

    return _USER.sub("…@", _PARAMETER.sub(shortened, text))
