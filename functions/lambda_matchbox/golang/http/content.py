"""Responses to requests for files, as Go's `http.ServeContent` makes them.

`serve` decides on preconditions and ranges (RFC 9110, sections 13 and 14) without the content: the caller fetches only
the spans that the reply names.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from lambda_matchbox.golang.http import dates
from lambda_matchbox.golang.http.preconditions import State

_SPACE = " \t\r\n"
_INT64_DIGITS = 19
# Go's zero time, and 1970, which archives and images use for an unknown time.
_UNKNOWN_TIMES = (datetime(1, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC))

_INVALID = "invalid range"
_NO_OVERLAP = "invalid range: failed to overlap"


class Span(NamedTuple):
    """A range of bytes of the content, with a length of at least one."""

    start: int
    length: int


class Reply(NamedTuple):
    """Status, headers (names in lower case), and body: spans of the content and text between them."""

    status: int
    headers: dict[str, str]
    body: tuple[Span | bytes, ...] = ()


def serve(
    method: str,
    request_headers: Mapping[str, str],
    *,
    size: int,
    content_type: str,
    boundary: str,
    etag: str | None = None,
    modified: datetime | None = None,
) -> Reply:
    """The reply to a request for a file of `size` bytes.

    Header names may have any case. `etag` is the value of the ETag header, with quotes. A `modified` without a zone is
    in UTC; Unix time 0 means unknown. `boundary` separates the parts of several ranges: it must not occur in the
    content, so it is random.

    As with Go up to 1.22, a 416 keeps ETag and Last-Modified. Unlike Go's, the reply to HEAD has the body: the load
    balancer counts it for Content-Length and drops it.
    """
    given: dict[str, str] = {}
    for name, value in request_headers.items():
        given.setdefault(name.lower(), value.strip(_SPACE))
    if modified is not None and modified.replace(tzinfo=modified.tzinfo or UTC) in _UNKNOWN_TIMES:
        modified = None
    reading = method in ("GET", "HEAD")
    validators = {"etag": etag} if etag else {}
    if modified is not None:
        validators["last-modified"] = dates.render(modified)

    state = State(etag or "", None if modified is None else dates.unix_seconds(modified))
    match state.refusal(given, reading=reading):
        case 304:
            return Reply(304, {"etag": etag} if etag else validators)
        case 412:
            return Reply(412, validators | {"content-length": "0"})

    wanted = given.get("range", "")
    if reading and state.changed_since(given.get("if-range", "")):
        wanted = ""
    try:
        spans = _spans(wanted, size)
    except _RangeError as refusal:
        return _refusal(refusal, size, validators)
    return _partial(spans, size, content_type, boundary, validators)


def assemble(body: Iterable[Span | bytes], content: bytes) -> bytes:
    """The bytes of a reply's body, cut from `content`."""
    return b"".join(
        piece if isinstance(piece, bytes) else content[piece.start : piece.start + piece.length] for piece in body
    )


class _RangeError(ValueError):
    """A Range header that cannot be satisfied; the message is Go's."""


def _spans(text: str, size: int) -> list[Span]:
    """The spans of a Range header, which may be empty; none if the whole content is to be sent."""
    if not text:
        return []
    if not text.startswith("bytes="):
        raise _RangeError(_INVALID)
    parsed = [_span(item, size) for item in text.removeprefix("bytes=").split(",") if item.strip(_SPACE)]
    spans = [span for span in parsed if span is not None]
    # Clients that always send a range still get an empty content.
    if parsed and not spans and size > 0:
        raise _RangeError(_NO_OVERLAP)
    # Go sends the whole content if the ranges together are longer: that is an attack or a mistake.
    return spans if sum(span.length for span in spans) <= size else []


def _span(item: str, size: int) -> Span | None:
    """The span of one range; None if it begins beyond the content."""
    first, dash, last = (part.strip(_SPACE) for part in item.partition("-"))
    if not dash or (not first and last[:1] in ("", "-")):
        raise _RangeError(_INVALID)
    if not first:
        length = min(_int64(last), size)
        return Span(size - length, length)
    start = _int64(first)
    if start >= size:
        return None
    if not last:
        return Span(start, size - start)
    end = _int64(last)
    if end < start:
        raise _RangeError(_INVALID)
    return Span(start, min(end, size - 1) - start + 1)


def _int64(text: str) -> int:
    """The number as Go's `strconv.ParseInt` reads it: ASCII digits with a sign, 64 bits."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    significant = digits.lstrip("0")
    if not (digits.isascii() and digits.isdigit()) or len(significant) > _INT64_DIGITS:
        raise _RangeError(_INVALID)
    number = int(significant or "0")
    if number >= 2**63 + text.startswith("-"):
        raise _RangeError(_INVALID)
    return -number if text.startswith("-") else number


def _refusal(refusal: _RangeError, size: int, validators: dict[str, str]) -> Reply:
    text = f"{refusal}\n".encode()
    headers = validators | {
        "content-type": "text/plain; charset=utf-8",
        "x-content-type-options": "nosniff",
        "content-length": str(len(text)),
    }
    if str(refusal) == _NO_OVERLAP:
        headers["content-range"] = f"bytes */{size}"
    return Reply(416, headers, (text,))


def _partial(spans: list[Span], size: int, content_type: str, boundary: str, validators: dict[str, str]) -> Reply:
    """The whole content for no span, a part for one, a multipart body (RFC 9110, section 14.6) for several."""
    headers = validators | {"accept-ranges": "bytes", "content-type": content_type}
    pieces: list[Span | bytes]
    if not spans:
        status, pieces = 200, [Span(0, size)]
    elif len(spans) == 1:
        status, pieces = 206, [*spans]
        headers["content-range"] = _content_range(spans[0], size)
    else:
        status, pieces = 206, []
        headers["content-type"] = f"multipart/byteranges; boundary={boundary}"
        for span in spans:
            start = f"\r\n--{boundary}\r\n" if pieces else f"--{boundary}\r\n"
            framing = f"{start}Content-Range: {_content_range(span, size)}\r\nContent-Type: {content_type}\r\n\r\n"
            pieces += [framing.encode(errors="replace"), span]
        pieces.append(f"\r\n--{boundary}--\r\n".encode(errors="replace"))
    body = tuple(piece for piece in pieces if isinstance(piece, bytes) or piece.length)
    headers["content-length"] = str(sum(len(piece) if isinstance(piece, bytes) else piece.length for piece in body))
    return Reply(status, headers, body)


def _content_range(span: Span, size: int) -> str:
    return f"bytes {span.start}-{span.start + span.length - 1}/{size}"
