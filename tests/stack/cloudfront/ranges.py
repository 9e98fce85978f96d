"""Parts of responses that an edge keeps, and those that the viewer has already."""

import re

from tests.stack.cloudfront.messages import Request, Response

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def asked_of(request: Request, kept: Response) -> Response:
    """What of a whole response was asked for."""
    if kept.status != 200:
        return kept
    etag = kept.headers.get("etag")
    if etag and etag in re.split(r", *", request.header("if-none-match")):
        return Response(304, {name: value for name, value in kept.headers.items() if name != "content-length"})
    if_range = request.header("if-range")
    found = _RANGE.fullmatch(request.header("range"))
    # Several ranges and what is none get the whole file here.
    if request.method != "GET" or not found or not any(found.groups()) or (if_range and if_range != etag):
        return kept
    size = len(kept.body)
    first, last = found.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last), size - 1) if first and last else size - 1
    if start >= size or end < start:
        return Response(416, {"content-range": f"bytes */{size}"})
    part = kept.body[start : end + 1]
    return Response(206, {**kept.headers, "content-range": f"bytes {start}-{end}/{size}"}, part)
