"""Do the checksums that an image holds agree with its files? Files as `sha256sum` writes and reads them (coreutils)."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lambda_matchbox.oci.errors import ImageError

LISTS = ("checksums.sha256", "SHA256SUMS")
"""Names of files with the checksums of several files of their directory."""

SUFFIX = ".sha256"
"""What is put behind a file's name to name the file with its checksum."""

LARGEST = 1 << 20
"""Bytes of a file with checksums."""

# A name with a line break or a backslash is written with `\n`, `\r` and `\\`, and a backslash stands before the line.
_PLAIN = re.compile(rb"(\\?)([0-9a-fA-F]{64}) [ *](.+)", re.DOTALL)
_BSD = re.compile(rb"(\\?)SHA256 \((.+)\) = ([0-9a-fA-F]{64})", re.DOTALL)
_BARE = re.compile(rb"\s*([0-9a-fA-F]{64})\s*")
_ESCAPE = re.compile(rb"\\([\\nr])")
_ESCAPED = {b"\\": b"\\", b"n": b"\n", b"r": b"\r"}


class _Line(NamedTuple):
    name: str
    digest: str


def companions(path: str) -> list[str]:
    """The paths where an image can have a checksum of the file at `path`, its own first."""
    directory = path[: path.rfind("/") + 1]
    return [path + SUFFIX, *(directory + name for name in LISTS)]


def check(path: str, sha256: str, checksum_path: str, body: bytes) -> None:
    """Whether the checksum file agrees with the file at `path`, if it names it.

    A line names it by its base name. Where none does, those count whose path ends like that of the file, the longest
    such ends only. `<path>.sha256` may hold nothing but the digest. Lines that are none are passed over.
    Raises ImageError where the digests differ, or the file has no line at all.
    """
    lines = _stated(path, checksum_path, body)
    if not lines:
        raise ImageError(f"{checksum_path!r} in the image holds no SHA-256 checksum, so {path!r} cannot be checked")
    for digest in _digests(path, lines):
        if digest != sha256:
            raise ImageError(f"{path!r} has the SHA-256 {sha256}, but {checksum_path!r} in the image says {digest}")


def stated(path: str, body: bytes) -> list[str]:
    """The digests of the file at `path` that the checksum file of its own states, by the rules of `check`."""
    lines = _stated(path, path + SUFFIX, body)
    return _digests(path, lines) if lines else []


def names_only(path: str, body: bytes) -> bool:
    """Whether `sha256sum -c` checks with these lines the file, by its base name, and nothing else."""
    written = [line for line in body.split(b"\n") if line]
    return bool(written) and [_base(path)] * len(written) == [line.name for line in _lines(body)]


def _stated(path: str, checksum_path: str, body: bytes) -> list[_Line]:
    if checksum_path == path + SUFFIX and (bare := _BARE.fullmatch(body)):
        return [_Line(_base(path), bare[1].decode().lower())]
    return list(_lines(body))


def _digests(path: str, lines: Iterable[_Line]) -> list[str]:
    alike = [(_common_end(path, line.name), line) for line in lines]
    exact = [line.digest for _, line in alike if line.name.removeprefix("./") == _base(path)]
    longest = max(length for length, _ in alike)
    return exact or [line.digest for length, line in alike if length == longest > 0]


def _common_end(path: str, other: str) -> int:
    """How many names, from the last one on, two paths have in common."""
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
