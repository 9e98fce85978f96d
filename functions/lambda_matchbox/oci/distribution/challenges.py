"""What does a registry want to see? The header WWW-Authenticate (RFC 9110, section 11.6.1)."""

import re
from collections.abc import Mapping
from typing import NamedTuple

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_PART = re.compile(
    rf"""[\s,]*+({_WORD})(?:\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|({_WORD}))(?=[\s,]|\Z)|(?=[\s,]|\Z))""", re.ASCII
)
_ESCAPED = re.compile(r"\\(.)")
_LONGEST = 8192


class Challenge(NamedTuple):
    """One way to be let in: its scheme and the names of its parameters, both in lower case."""

    scheme: str
    parameters: Mapping[str, str]


def challenges(header: str) -> tuple[Challenge, ...]:
    """The challenges of a header, in their order, as far as it is well formed."""
    if len(header) > _LONGEST:
        return ()
    found: list[tuple[str, dict[str, str]]] = []
    position = 0
    while part := _PART.match(header, position):
        name, quoted, plain = part[1].lower(), part[2], part[3]
        if quoted is None and plain is None:
            found.append((name, {}))
        elif found:
            found[-1][1].setdefault(name, plain if quoted is None else _ESCAPED.sub(r"\1", quoted))
        position = part.end()
    return tuple(Challenge(scheme, parameters) for scheme, parameters in found)
