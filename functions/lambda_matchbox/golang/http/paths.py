"""Paths of requests, redirects to their clean form, and queries.

Paths and names are text in which each byte that is not UTF-8 is a lone surrogate ("surrogateescape"). `to_bytes`
restores the bytes, since Go's strings are bytes. In JSON Go writes U+FFFD instead.

The rules are those of Go's net/http and net/url: `ServeMux` (up to Go 1.21), `Redirect`, `FileServer` and
`url.ParseQuery`.
"""

import re
from typing import NamedTuple

_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
_ESCAPED_IN_PATH = {code: f"%{code:02X}" for code in range(256) if code not in _UNRESERVED + b"$&+,/:;=@"}
# Go escapes what is not ASCII, in lower case. It never receives blanks and control characters, which no header holds.
_ESCAPED_IN_LOCATION = {code: f"%{code:02x}" for code in range(256) if not 0x20 < code < 0x7F}
_ESCAPED_IN_HTML = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&#34;", ord("'"): "&#39;"}
_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")


class Redirect(NamedTuple):
    """The value of Location, and the page of the redirect."""

    location: str
    page: bytes


def to_bytes(text: str) -> bytes:
    """The bytes of `text`; a surrogate that stands for no byte becomes U+FFFD."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return re.sub(r"[\ud800-\udc7f\udd00-\udfff]", "\ufffd", text).encode("utf-8", "surrogateescape")


def unescape(raw: str) -> str | None:
    """The unescaped path of a request line; None if an escape is broken, to which Go responds with 400."""
    if "%" not in raw and raw.isascii():
        return raw
    literal, *escapes = raw.split("%")
    decoded = bytearray(to_bytes(literal))
    for escape in escapes:
        if len(escape) < 2 or not _HEXADECIMAL.issuperset(escape[:2]):
            return None
        decoded += bytes.fromhex(escape[:2]) + to_bytes(escape[2:])
    return decoded.decode("utf-8", "surrogateescape")


def clean_path(path: str) -> str:
    """The shortest equal path: rooted, without empty, `.` and `..` elements. A final slash is kept."""
    elements: list[str] = []
    for element in path.split("/"):
        if element == "..":
            del elements[-1:]
        elif element not in ("", "."):
            elements.append(element)
    end = "/" if elements and path.endswith("/") else ""
    return "/" + "/".join(elements) + end


def escape_path(path: str) -> str:
    """`path` as a reference in a page or header, which begins with `./` if its first element looks like a scheme."""
    if path == "*":
        return path
    escaped = to_bytes(path).decode("latin-1").translate(_ESCAPED_IN_PATH)
    return "./" + escaped if ":" in escaped.partition("/")[0] else escaped


def escape_html(text: str) -> str:
    """`text` escaped as Go does in a page."""
    return text.translate(_ESCAPED_IN_HTML)


def moved_permanently(path: str, raw_query: str) -> Redirect:
    """The redirect to the clean form of `path`, with the query unchanged.

    The page is for GET alone, as `text/html; charset=utf-8`; HEAD has its headers. Other methods have neither.
    """
    reference = escape_path(clean_path(path)) + ("?" + raw_query if raw_query else "")
    page = f'<a href="{escape_html(reference)}">Moved Permanently</a>.\n\n'
    return Redirect(_header_safe(reference), to_bytes(page))


def index_page_redirect(path: str, raw_query: str) -> str | None:
    """The Location from `…/index.html`, whether it exists or not, to its directory; None for other paths."""
    return _relative("./", raw_query) if path.endswith("/index.html") else None


def slash_redirect(path: str, raw_query: str, *, directory: bool) -> str | None:
    """The Location that adds the slash of a directory or removes it from a file; None if `path` is right.

    Unlike Go, names are escaped: Go's `Location: a?b/` is not the address of the directory `a?b`.
    """
    if directory == path.endswith("/"):
        return None
    name = escape_path(path.rstrip("/").rpartition("/")[2])
    if directory:
        return _relative((name or ".") + "/", raw_query)
    return _relative("../" + name.removeprefix("./"), raw_query) if name else None


def parse_query(raw: str) -> list[tuple[str, str]]:
    """The pairs of a raw query in their order, as Go's `url.Query()` reads them.

    `+` is a space. An empty pair and one with a `;` or a broken escape are left out. Keys may repeat.
    """
    found = [pair.partition("=")[::2] for pair in raw.replace("+", " ").split("&") if pair and ";" not in pair]
    if "%" not in raw and raw.isascii():
        return found
    pairs = [(unescape(key), unescape(value)) for key, value in found]
    return [(key, value) for key, value in pairs if key is not None and value is not None]


def _relative(reference: str, raw_query: str) -> str:
    return _header_safe(reference + ("?" + raw_query if raw_query else ""))


def _header_safe(reference: str) -> str:
    return to_bytes(reference).decode("latin-1").translate(_ESCAPED_IN_LOCATION)
