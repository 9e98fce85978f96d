"""What does the path of a request name, and where does a request for the wrong spelling of it go?

Paths, names and labels are text in which each byte that is no UTF-8 stands as a lone surrogate ('surrogateescape'):
text written to a client gets the very bytes back through `to_bytes`, as with Go, whose strings are bytes. JSON is the
exception on both sides: Go writes U+FFFD there.

The rules are those of Go's net/http and net/url: `ServeMux` (as up to Go 1.21, which matchbox's go.mod asks for),
`Redirect`, `FileServer` and `url.ParseQuery`.
"""

import re
from typing import NamedTuple

_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
_ESCAPED_IN_PATH = {code: f"%{code:02X}" for code in range(256) if code not in _UNRESERVED + b"$&+,/:;=@"}
# Go escapes what is not ASCII, in lower case; blanks and control characters it never receives, and no header holds.
_ESCAPED_IN_LOCATION = {code: f"%{code:02x}" for code in range(256) if not 0x20 < code < 0x7F}
_ESCAPED_IN_HTML = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&#34;", ord("'"): "&#39;"}
_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")


class Redirect(NamedTuple):
    """Where a client is sent: the value of Location, and the page that says so (empty for a relative one)."""

    location: str
    page: bytes = b""


def to_bytes(text: str) -> bytes:
    """The bytes that `text` stands for; a surrogate that stands for no byte becomes U+FFFD."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return re.sub(r"[\ud800-\udc7f\udd00-\udfff]", "\ufffd", text).encode("utf-8", "surrogateescape")


def unescape(raw: str) -> str | None:
    """The path that stands escaped in a request line; None where an escape is broken, which Go answers with 400."""
    literal, *escapes = raw.split("%")
    decoded = bytearray(to_bytes(literal))
    for escape in escapes:
        if len(escape) < 2 or not _HEXADECIMAL.issuperset(escape[:2]):
            return None
        decoded += bytes.fromhex(escape[:2]) + to_bytes(escape[2:])
    return decoded.decode("utf-8", "surrogateescape")


def clean_path(path: str) -> str:
    """The shortest equal path: rooted, without empty, `.` and `..` elements; a slash at the end is kept."""
    elements: list[str] = []
    for element in path.split("/"):
        if element == "..":
            del elements[-1:]
        elif element not in ("", "."):
            elements.append(element)
    end = "/" if elements and path.endswith("/") else ""
    return "/" + "/".join(elements) + end


def escape_path(path: str) -> str:
    """`path` as a reference in a page or header, where it needs `./` if its first element could pass for a scheme."""
    if path == "*":
        return path
    escaped = to_bytes(path).decode("latin-1").translate(_ESCAPED_IN_PATH)
    return "./" + escaped if ":" in escaped.partition("/")[0] else escaped


def escape_html(text: str) -> str:
    """`text` as Go writes it in a page."""
    return text.translate(_ESCAPED_IN_HTML)


def moved_permanently(path: str, raw_query: str) -> Redirect:
    """Redirect to `path` in its clean spelling, with the query as it came.

    The page is for GET alone, as `text/html; charset=utf-8`; HEAD has its headers. Other methods have neither.
    """
    reference = escape_path(clean_path(path)) + ("?" + raw_query if raw_query else "")
    page = f'<a href="{escape_html(reference)}">Moved Permanently</a>.\n\n'
    return Redirect(_header_safe(reference), to_bytes(page))


def index_page_redirect(path: str, raw_query: str) -> Redirect | None:
    """Redirect from `…/index.html`, whether there is one or not, to its directory; None for other paths."""
    return _relative("./", raw_query) if path.endswith("/index.html") else None


def slash_redirect(path: str, raw_query: str, *, directory: bool) -> Redirect | None:
    """Redirect that adds the slash of a directory or removes it from a file; None where `path` is right.

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

    `+` is a space; a pair that is empty, has a `;` or a broken escape is left out. Keys may repeat.
    """
    pairs = []
    for pair in raw.split("&"):
        if not pair or ";" in pair:
            continue
        key, _, value = (unescape(part.replace("+", " ")) for part in pair.partition("="))
        if key is not None and value is not None:
            pairs.append((key, value))
    return pairs


def _relative(reference: str, raw_query: str) -> Redirect:
    return Redirect(_header_safe(reference + ("?" + raw_query if raw_query else "")))


def _header_safe(reference: str) -> str:
    return to_bytes(reference).decode("latin-1").translate(_ESCAPED_IN_LOCATION)
