"""Which paths are signatures of other routes' documents? Those of matchbox: each configuration route with a suffix.

The library that signs is not imported here: it is only where a key is.
"""

from collections.abc import Callable
from typing import NamedTuple

from lambda_matchbox.golang.http.content_type import BINARY, TEXT
from lambda_matchbox.web.document_answers import Document

Sign = Callable[[bytes], bytes]
"""From what a route answers to a detached OpenPGP signature of it."""

SIGNED = frozenset({"/boot.ipxe", "/boot.ipxe.0", "/cloud", "/generic", "/grub", "/ignition", "/ipxe", "/metadata"})
"""The routes that matchbox signs."""

BINARY_SUFFIX, ARMORED_SUFFIX = ".sig", ".asc"


class Signatures(NamedTuple):
    """The two forms of signatures by one key."""

    binary: Sign
    armored: Sign

    def document(self, suffix: str, body: bytes) -> Document:
        """The signature that stands at a path with this suffix, with the type that Go would sniff of it."""
        if suffix == ARMORED_SUFFIX:
            return Document(self.armored(body), TEXT)
        return Document(self.binary(body), BINARY)


def signed_route(path: str) -> tuple[str, str] | None:
    """The route whose documents are signed at this path, and the suffix; None where the path is no such twin."""
    for suffix in (BINARY_SUFFIX, ARMORED_SUFFIX):
        route = path.removesuffix(suffix)
        if route != path and route in SIGNED:
            return route, suffix
    return None
