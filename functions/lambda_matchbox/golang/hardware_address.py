"""Hardware addresses, as Go's `net.ParseMAC` accepts them."""

import re
from functools import lru_cache

_ADDRESS = re.compile(
    r"[0-9a-fA-F]{2}([:-])[0-9a-fA-F]{2}(?:\1[0-9a-fA-F]{2})*|[0-9a-fA-F]{4}(?:\.[0-9a-fA-F]{4})*|[0-9a-fA-F]*"
)
_NORMAL = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")
_DIGITS = (12, 16, 40)
_KEPT = 4096
"""Addresses that are kept, as a machine names its own in each request."""


class InvalidMACError(ValueError):
    """An invalid hardware address, the `text`."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(f"invalid MAC address {text!r}: write it like 52:54:00:12:34:56")


@lru_cache(_KEPT)
def normalise_mac(text: str) -> str:
    """The address in lower case with colons; it has 6, 8 or 20 bytes with colons, hyphens, dots or no separators.

    Raises InvalidMACError for anything else.
    """
    if _NORMAL.fullmatch(text):
        return text
    digits = text.replace(":", "").replace("-", "").replace(".", "")
    if len(digits) not in _DIGITS or not _ADDRESS.fullmatch(text):
        raise InvalidMACError(text)
    return bytes.fromhex(digits).hex(":")
