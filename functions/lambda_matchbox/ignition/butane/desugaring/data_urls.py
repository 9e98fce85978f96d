"""Data URLs as Butane makes them: escaped, in base64, or compressed, whichever is shortest."""

import base64
import zlib

_UNESCAPED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()")
_ESCAPED = [chr(byte) if byte in _UNESCAPED else f"%{byte:02X}" for byte in range(256)]
_GZIP = "gzip"
_LEVEL = 9
# zlib's number for the format; the module gzip takes as long to import as the translation of a small config.
_GZIP_FORMAT = 31


def escaped_data_url(contents: bytes) -> str:
    """The data URL of `contents` in escaped form."""
    return "data:," + "".join(map(_ESCAPED.__getitem__, contents))


def data_url(contents: bytes, compression: str) -> tuple[str, str | None]:
    """The data URL of `contents`, and its compression; None if the config states that itself, as `compression`."""
    best = min(escaped_data_url(contents), _base64_data_url(contents), key=len)
    if compression:
        return best, None
    # zlib's output differs from Go's in its bytes and slightly in length.
    packed = _base64_data_url(zlib.compress(contents, _LEVEL, _GZIP_FORMAT))
    if len(packed) + len(_GZIP) < len(best):
        return packed, _GZIP
    return best, ""


def _base64_data_url(contents: bytes) -> str:
    return "data:;base64," + base64.b64encode(contents).decode()
