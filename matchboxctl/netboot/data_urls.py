"""Texts in `data:` URLs of Ignition configs."""

import base64
import binascii
import zlib
from urllib.parse import unquote

_GZIP_FORMAT = 31
_MAX_UNPACKED = 16 * 1024 * 1024


def text_of(url: str, *, is_packed: bool) -> str:
    """The text of a `data:` URL, which gzip has compressed if it `is_packed`; empty if it is not text."""
    head, _, body = url.partition(",")
    try:
        raw = base64.b64decode(unquote(body)) if head.endswith(";base64") else unquote(body).encode()
        if is_packed:
            raw = zlib.decompressobj(_GZIP_FORMAT).decompress(raw, _MAX_UNPACKED)
        return raw.decode()
    except (binascii.Error, zlib.error, UnicodeDecodeError):
        return ""
