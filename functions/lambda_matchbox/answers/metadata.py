"""The response of /metadata: `KEY=value` lines, without quoting."""

from collections.abc import Mapping

from lambda_matchbox.golang.float import format_float
from lambda_matchbox.golang.text import bytes_of, replaced_strays, text_of_value
from lambda_matchbox.http import Response

# matchbox's own spelling.
_CONTENT_TYPE = "plain/text"
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def respond(data: Mapping[str, object]) -> Response:
    """One line for each string, boolean and number of `data`, sorted by key; lists and nulls are left out.

    Keys are in upper case, those of nested maps joined with `_`; numbers are formatted as a float64 in Go. matchbox
    writes the lines in random order.
    """
    lines: list[tuple[bytes, bytes]] = []
    maps: list[tuple[str, Mapping[str, object]]] = [("", data)]
    while maps:
        prefix, members = maps.pop()
        for key, value in members.items():
            name = prefix + key
            if isinstance(value, Mapping):
                maps.append((name + "_", value))
            elif isinstance(value, str):
                lines.append((_upper(name), bytes_of(text_of_value(value))))
            elif isinstance(value, bool):
                lines.append((_upper(name), b"true" if value else b"false"))
            elif isinstance(value, int | float):
                lines.append((_upper(name), format_float(float(value)).encode()))
    return Response.of(b"".join(key + b"=" + value + b"\n" for key, value in sorted(lines)), _CONTENT_TYPE)


def _upper(name: str) -> bytes:
    """`name` as Go's `strings.ToUpper`: letter by letter, invalid UTF-8 becomes U+FFFD."""
    return bytes_of("".join(map(_upper_letter, replaced_strays(text_of_value(name), _REPLACEMENT))))


def _upper_letter(letter: str) -> str:
    upper = letter.upper()
    return upper if len(upper) == 1 else letter
