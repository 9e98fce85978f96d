"""Requests and responses between viewer, edge and origins."""

from typing import NamedTuple, TypeAlias

Headers: TypeAlias = tuple[tuple[str, str], ...]
"""Names in lower case with values, in the order in which they were sent."""


class Request(NamedTuple):
    """A request whose path and query are as they were sent; `client` is the address that sent it."""

    method: str
    path: str
    query: str
    headers: Headers
    secure: bool
    client: str

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    def header(self, name: str) -> str:
        """The value of a header, the values of a repeated one joined; empty if it is not there."""
        return ", ".join(value for each, value in self.headers if each == name)


class Response(NamedTuple):
    """A response; the length of its body is said by a header only where there is no body."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


def text_of(raw: bytes) -> str:
    """The characters of what was sent; what is no UTF-8 counts as ISO-8859-1, as for CloudFront's functions."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
