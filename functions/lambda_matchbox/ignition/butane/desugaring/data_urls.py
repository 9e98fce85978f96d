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


def data_url(contents: bytes, compression: str) -> DataUrl:
    """The data URL of `contents`; `compression` is that of the config, or empty."""
    # quote() leaves these, letters, digits and _.-~ unescaped, and writes hex digits in upper case.
    best = "," + quote(contents, safe=_UNESCAPED)
    encoded = ";base64," + base64.b64encode(contents).decode()
    if len(encoded) < len(best):
        best = encoded
    if compression:
        return DataUrl(f"data:{best}", None)
    # zlib's output differs from Go's in its bytes and slightly in length.
    packed = ";base64," + base64.b64encode(gzip.compress(contents, _LEVEL, mtime=0)).decode()
    if len(packed) + len(_GZIP) < len(best):
        return DataUrl(f"data:{packed}", _GZIP)
    return DataUrl(f"data:{best}", "")
