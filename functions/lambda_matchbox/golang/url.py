"""URLs, as Go's net/url parses and writes them, over the text of `golang.text`."""

import re
from typing import NamedTuple

from lambda_matchbox.golang.text import bytes_of, text_of

_ESCAPE = rb"%([0-9A-Fa-f]{2})"
_BAD_ESCAPE = r"%(?![0-9A-Fa-f]{2})"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_USER = r"[A-Za-z0-9._:~!$&'()*+,;=%@-]*"
# In a host only characters beyond ASCII may be escaped, and the percent sign where a zone begins.
_HOST = r"(?:[^\x00-\x7f]|[A-Za-z0-9._~!$&'()*+,;=:\[\]<>\"-]|%(?:25|[89A-Fa-f][0-9A-Fa-f]))*"
_ZONE = r"(?:[^\x00-\x7f]|[A-Za-z0-9._~!$&'()*+,;=:\[\]<>\"-]|%[0-9A-Fa-f]{2})*"
_PORT = r"(?::[0-9]*)?"
# Not escaped, besides letters, digits and "-_.~".
_IN_PATH = "$&+,/:;=@"
_IN_FRAGMENT = "$&+,/:;=?@!()*"
_IN_HOST = "!$&'()*+,;=:[]<>\""
_IN_USER = "$&+,;="


class UrlError(ValueError):
    """Text that is not a URL; the message is the part that is wrong."""


class Url(NamedTuple):
    """The parts of a URL, unescaped but for query and userinfo; `opaque` is what follows the scheme without a slash."""

    scheme: str = ""
    opaque: str = ""
    userinfo: str = ""
    host: str = ""
    path: str = ""
    query: str = ""
    fragment: str = ""

    @property
    def hostname(self) -> str:
        """The host without its port and brackets."""
        name, colon, port = self.host.rpartition(":")
        host = name if colon and (port.isdigit() or not port) else self.host
        return host[1:-1] if host.startswith("[") and host.endswith("]") else host

    def __str__(self) -> str:
        """The method String of Go's URL."""
        text = f"{self.scheme}:" if self.scheme else ""
        text += self.opaque or self._authority_and_path()
        if self.query:
            text += "?" + self.query
        if self.fragment:
            text += "#" + _escaped(self.fragment, _IN_FRAGMENT)
        return text

    def _authority_and_path(self) -> str:
        text = ""
        if self.scheme or self.host or self.userinfo:
            if self.host or self.path or self.userinfo:
                text = "//"
            text += f"{self.userinfo}@" if self.userinfo else ""
            address, mark, zone = self.host.partition("%") if self.host.startswith("[") else (self.host, "", "")
            text += _escaped(address, _IN_HOST) + ("%25" + _escaped(zone, _IN_HOST) if mark else "")
        if self.path and not self.path.startswith("/") and self.host:
            text += "/"
        path = "*" if self.path == "*" else _escaped(self.path, _IN_PATH)
        if not self.scheme and not text and ":" in path.partition("/")[0]:
            text = "./"
        return text + path


def parse_url(text: str) -> Url:
    """The parts of `text`, with the scheme in lower case; it is empty for a relative reference.

    Raises:
        UrlError: Go refuses it.
    """
    rest, _, fragment = text.partition("#")
    url = Url(fragment=_unescaped(fragment))
    if rest == "*":
        return url._replace(path=rest)
    if _CONTROL.search(rest):
        raise UrlError("a control character")
    found = _SCHEME.match(rest)
    if found:
        url = url._replace(scheme=found[1].lower())
        rest = rest[found.end() :]
    elif rest.startswith(":"):
        raise UrlError("the scheme is missing")
    rest, _, query = rest.partition("?")
    url = url._replace(query=query)
    if not rest.startswith("/"):
        if found:
            return url._replace(opaque=rest)
        if ":" in rest.partition("/")[0]:
            raise UrlError("a colon in the first part of the path")
    elif rest.startswith("//") and (found or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        user, _, host = authority.rpartition("@")
        url = url._replace(userinfo=_userinfo(user), host=_host(host))
        rest = slash + path
    return url._replace(path=_unescaped(rest))


def _userinfo(text: str) -> str:
    """Name and password, escaped as Go writes them. Raises UrlError."""
    if not re.fullmatch(_USER, text):
        raise UrlError("the user")
    name, colon, password = text.partition(":")
    return _escaped(_unescaped(name), _IN_USER) + colon + _escaped(_unescaped(password), _IN_USER)


def _host(text: str) -> str:
    if "[" in text:
        return _ip_literal(text)
    if not re.fullmatch(_PORT, text[text.rfind(":") :] if ":" in text else ""):
        raise UrlError("the port")
    if not re.fullmatch(_HOST, text):
        raise UrlError("the host")
    return _unescaped(text)


def _ip_literal(text: str) -> str:
    """An IPv6 address in brackets, with an optional zone and port."""
    from ipaddress import AddressValueError, IPv6Address

    inner, bracket, port = text[1:].rpartition("]")
    address, zone_mark, zone = inner.partition("%25")
    if text.rfind("[") or not bracket or not re.fullmatch(_ZONE, zone) or not re.fullmatch(_PORT, port):
        raise UrlError("the host")
    try:
        IPv6Address(address)
    except AddressValueError:
        raise UrlError("the host") from None
    return f"[{address}{'%' + _unescaped(zone) if zone_mark else ''}]{port}"


def _unescaped(text: str) -> str:
    if "%" not in text and text.isascii():
        return text
    if re.search(_BAD_ESCAPE, text):
        raise UrlError("an invalid escape")
    return text_of(re.sub(_ESCAPE, lambda found: bytes([int(found[1], 16)]), bytes_of(text)))


def _escaped(text: str, plain: str) -> str:
    from urllib.parse import quote_from_bytes

    return quote_from_bytes(bytes_of(text), safe=plain)
