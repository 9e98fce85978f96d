"""Signature routes: each configuration route of matchbox with a suffix.

The library that signs is not imported here, but only where a key is.
"""

from collections.abc import Callable
from typing import NamedTuple

from lambda_matchbox.golang.http.content_type import BINARY, TEXT
from lambda_matchbox.http import Response

Sign = Callable[[bytes], bytes]
"""From a response's body to its detached OpenPGP signature."""

SIGNED = frozenset({"/boot.ipxe", "/boot.ipxe.0", "/cloud", "/generic", "/grub", "/ignition", "/ipxe", "/metadata"})
"""The routes that matchbox signs."""

BINARY_SUFFIX, ARMORED_SUFFIX = ".sig", ".asc"


class Signatures(NamedTuple):
    """The two forms of signatures by one key."""

    binary: Sign
    armored: Sign

    def respond(self, suffix: str, signed: Response) -> Response:
        """The signature of a response at the path with this suffix, with the type that Go would sniff."""
        if suffix == ARMORED_SUFFIX:
            response = Response.of(self.armored(signed.body), TEXT, report=signed.report)
        else:
            response = Response.of(self.binary(signed.body), BINARY, report=signed.report)
        response = response._replace(release=signed.release)
        return response.with_secret() if signed.holds_secret else response


def signed_route(path: str) -> tuple[str, str] | None:
    """The route that is signed at this path, and the suffix; None for any other path."""
    for suffix in (BINARY_SUFFIX, ARMORED_SUFFIX):
        route = path.removesuffix(suffix)
        if route != path and route in SIGNED:
            return route, suffix
    return None
