"""Checksum files in the formats of `sha256sum` (coreutils)."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lambda_matchbox.oci.errors import ImageError

LISTS = ("checksums.sha256", "SHA256SUMS")
"""Names of checksum files for several files of their directory."""

SUFFIX = ".sha256"
"""The suffix of the checksum file of one file."""

MAX_SIZE = 1 << 20
"""Bytes of a checksum file."""

# In a line that begins with a backslash the name has the escapes `\n`, `\r` and `\\`.
_PLAIN = re.compile(rb"(\\?)([0-9a-fA-F]{64}) [ *](.+)", re.DOTALL)
_BSD = re.compile(rb"(\\?)SHA256 \((.+)\) = ([0-9a-fA-F]{64})", re.DOTALL)
_BARE = re.compile(rb"\s*([0-9a-fA-F]{64})\s*")
_ESCAPE = re.compile(rb"\\([\\nr])")
_ESCAPED = {b"\\": b"\\", b"n": b"\n", b"r": b"\r"}


class _Line(NamedTuple):
    name: str
    digest: str


def companions(path: str) -> list[str]:
    """The paths of possible checksum files of `path`, its own first."""
    directory = path[: path.rfind("/") + 1]
    return [path + SUFFIX, *(directory + name for name in LISTS)]


def check(path: str, sha256: str, checksum_path: str, body: bytes) -> None:
    """Raise ImageError where the checksum file has another digest for `path`, or no checksum at all.

    The lines with the file's base name count; without any, those whose paths have the longest common end with `path`.
    `<path>.sha256` may hold the digest alone. Invalid lines are skipped.
    """
    lines = _stated(path, checksum_path, body)
    if not lines:
        raise ImageError(f"{checksum_path!r} in the image has no SHA-256 checksum, so {path!r} cannot be verified")
    for digest in _digests(path, lines):
        if digest != sha256:
            raise ImageError(f"{path!r} has the SHA-256 {sha256}, but {checksum_path!r} in the image says {digest}")


def stated(path: str, body: bytes) -> list[str]:
    """The digests of `path` in its own checksum file, by the rules of `check`."""
    lines = _stated(path, path + SUFFIX, body)
    return _digests(path, lines) if lines else []


def names_only(path: str, body: bytes) -> bool:
    """Whether `sha256sum -c` checks with these lines the file, by its base name, and no other."""
    written = [line for line in body.split(b"\n") if line]
    return bool(written) and [_base(path)] * len(written) == [line.name for line in _lines(body)]


def _stated(path: str, checksum_path: str, body: bytes) -> list[_Line]:
    if checksum_path == path + SUFFIX and (bare := _BARE.fullmatch(body)):
        return [_Line(_base(path), bare[1].decode().lower())]
    return list(_lines(body))


def _digests(path: str, lines: Iterable[_Line]) -> list[str]:
    matches = [(_common_end(path, line.name), line) for line in lines]
    exact = [line.digest for _, line in matches if line.name.removeprefix("./") == _base(path)]
    longest = max(length for length, _ in matches)
    return exact or [line.digest for length, line in matches if length == longest > 0]


def _common_end(path: str, other: str) -> int:
    """The number of names that two paths have in common at their ends."""
    count = 0
    for one, two in zip(reversed(path.split("/")), reversed(other.split("/")), strict=False):
        if one != two:
            break
        count += 1
    return count


def _lines(body: bytes) -> Iterator[_Line]:
    for written in body.split(b"\n"):
        line = written.removesuffix(b"\r")
        if plain := _PLAIN.fullmatch(line):
            escaped, digest, name = plain.groups()
        elif bsd := _BSD.fullmatch(line):
            escaped, name, digest = bsd.groups()
        else:
            continue
        if escaped:
            name = _ESCAPE.sub(lambda found: _ESCAPED[found[1]], name)
        yield _Line(name.decode("utf-8", "surrogateescape"), digest.decode().lower())


def _base(path: str) -> str:
    return path.rpartition("/")[2]
