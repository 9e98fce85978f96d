"""URLs, as Go's `url.Parse` accepts them."""

import re
from typing import NamedTuple

_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_USER = re.compile(r"[A-Za-z0-9._:~!$&'()*+,;=%@-]*")
# In a host only characters beyond ASCII may be escaped, and the percent sign where a zone begins.
_HOST = re.compile(r"(?:[^\x00-\x7f]|[A-Za-z0-9._~!$&'()*+,;=:\[\]<>\"-]|%(?:25|[89A-Fa-f][0-9A-Fa-f]))*")
_ZONE = re.compile(r"(?:[^\x00-\x7f]|[A-Za-z0-9._~!$&'()*+,;=:\[\]<>\"-]|%[0-9A-Fa-f]{2})*")
_PORT = re.compile(r"(?::[0-9]*)?")


class UrlError(ValueError):
    """Text that is not a URL."""


class Url(NamedTuple):
    """The parts of a URL; `opaque` is what follows the scheme without a slash."""

    scheme: str
    opaque: str
    query: str


def parse_url(text: str) -> Url:
    """The parts of `text`, with the scheme in lower case; it is empty for a relative reference.

    Raises:
        UrlError: Go refuses it.
    """
    before, _, fragment = text.partition("#")
    if _CONTROL.search(before) or _ESCAPE.search(fragment) or before.startswith(":"):
        raise UrlError
    found = _SCHEME.fullmatch(before)
    scheme, rest = (found[1].lower(), found[2]) if found else ("", before)
    rest, _, query = rest.partition("?")
    if not rest.startswith("/"):
        if not scheme and ":" in rest.partition("/")[0]:
            raise UrlError
        if scheme:
            return Url(scheme, rest, query)
    elif rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        _check_authority(authority)
        rest = slash + path
    if _ESCAPE.search(rest):
        raise UrlError
    return Url(scheme, "", query)


def _check_authority(authority: str) -> None:
    user, _, host = authority.rpartition("@")
    if not _USER.fullmatch(user) or _ESCAPE.search(user):
        raise UrlError
    if "[" in host:
        _check_literal(host)
    elif not _HOST.fullmatch(host) or not _PORT.fullmatch(host[host.rfind(":") :] if ":" in host else ""):
        raise UrlError


def _check_literal(host: str) -> None:
    """Check an IPv6 address in brackets, with an optional zone and port."""
    from ipaddress import AddressValueError, IPv6Address

    address, bracket, port = host[1:].rpartition("]")
    address, _, zone = address.partition("%25")
    if host.rfind("[") or not bracket or not _ZONE.fullmatch(zone) or not _PORT.fullmatch(port):
        raise UrlError
    try:
        IPv6Address(address)
    except AddressValueError:
        raise UrlError from None
