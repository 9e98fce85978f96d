"""Templates of nothing but text and fields, such as `{{.request.query.mac}}`, which need no engine.

To load the engine takes longer than everything else that a function does for its first response.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

# A longer output is left to the engine, which counts it.
_MAX_OUTPUT = 1 << 20
_MAX_SOURCE = 32 * 1024
_FIELD = re.compile(rb"\{\{[ \t]*((?:\.[A-Za-z_][A-Za-z0-9_]*)+)[ \t]*\}\}")


def render_fields(source: bytes, data: Mapping[str, object]) -> bytes | None:
    """The rendered template; None if it has other actions, or fields that are not strings of `data`."""
    if len(source) > _MAX_SOURCE or (pieces := _pieces(source)) is None:
        return None
    rendered = []
    for piece in pieces:
        if isinstance(piece, bytes):
            rendered.append(piece)
            continue
        value: object = data
        for name in piece:
            value = value.get(name) if isinstance(value, Mapping) else None
        if not isinstance(value, str):
            return None
        try:
            rendered.append(value.encode("utf-8", "surrogateescape"))
        except UnicodeEncodeError:
            return None
    result = b"".join(rendered)
    return result if len(result) <= _MAX_OUTPUT else None


@lru_cache(maxsize=256)
def _pieces(source: bytes) -> list[bytes | tuple[str, ...]] | None:
    """Texts, and fields as the names on their way, in turns; None if there is another action."""
    texts_and_fields = _FIELD.split(source)
    *texts, last = texts_and_fields[::2]
    # An action begins with the first two braces of three.
    if b"{{" in last or any(b"{{" in text or text.endswith(b"{") for text in texts):
        return None
    return [
        tuple(piece.decode().split(".")[1:]) if number % 2 else piece for number, piece in enumerate(texts_and_fields)
    ]
