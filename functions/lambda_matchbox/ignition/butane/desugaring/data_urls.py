"""Data URLs as Butane makes them: escaped, in base64, or compressed, whichever is shortest."""

import base64
import gzip
from typing import NamedTuple
from urllib.parse import quote

_UNESCAPED = "!~*'()"
_GZIP = "gzip"
_LEVEL = 9


class DataUrl(NamedTuple):
    """The URL, and the compression of its content; None if the config states that itself."""

    url: str
    compression: str | None


def escaped_data_url(contents: bytes) -> str:
    """The data URL of `contents` in escaped form."""
    # quote() leaves these, letters, digits and _.-~ unescaped, and writes hex digits in upper case.
    return "data:," + quote(contents, safe=_UNESCAPED)


def data_url(contents: bytes, compression: str) -> DataUrl:
    """The data URL of `contents`; `compression` is that of the config, or empty."""
    best = min(escaped_data_url(contents), _base64_data_url(contents), key=len)
    if compression:
        return DataUrl(best, None)
    # zlib's output differs from Go's in its bytes and slightly in length.
    packed = _base64_data_url(gzip.compress(contents, _LEVEL, mtime=0))
    if len(packed) + len(_GZIP) < len(best):
        return DataUrl(packed, _GZIP)
    return DataUrl(best, "")


def _base64_data_url(contents: bytes) -> str:
    return "data:;base64," + base64.b64encode(contents).decode()
