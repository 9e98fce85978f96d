"""Image references as `docker pull` accepts them, and OCI platforms."""

import re
from typing import NamedTuple

_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)
# The grammar of a repository's name and of a tag (OCI distribution specification, "Pulling manifests").
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_PLATFORM = re.compile(r"([a-z0-9]+)/([a-z0-9_]+)(?:/([a-z0-9.]+))?", re.ASCII)
_MAX_REPOSITORY = 255
_DOCKER_HUB = "docker.io"


class InvalidReferenceError(ValueError):
    """An invalid image reference, digest or platform; the message shows it and the expected form."""


class ImageReference(NamedTuple):
    """An image: its registry's host (and port, where given), its repository, and a tag, a digest or both.

    With both the digest counts, as for `docker pull`; with a digest alone the tag is empty.
    """

    registry: str
    repository: str
    tag: str
    digest: str

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.registry}/{self.repository}{tag}{digest}"


class Platform(NamedTuple):
    """The platform of an image; an empty variant matches any."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in self if part)


def parse_image_reference(text: str) -> ImageReference:
    """The reference in `text`; without tag and digest the tag is `latest`. Raises InvalidReferenceError."""
    rest, at, digest = text.partition("@")
    if at:
        digest = parse_digest(digest)
    name, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        name, tag = rest, ""
    elif not _TAG.fullmatch(tag):
        raise InvalidReferenceError(f"{text!r}: invalid tag {tag!r}; use 1 to 128 letters, digits, `_`, `.` and `-`")
    host, slash, repository = name.partition("/")
    # docker's rule: without a dot or a port it is the first part of a repository on Docker Hub.
    if not slash or not (host == "localhost" or "." in host or ":" in host):
        host, repository = _DOCKER_HUB, name
    if host == _DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    if not _HOST.fullmatch(host):
        raise InvalidReferenceError(f"{text!r}: invalid host {host!r}")
    if not _REPOSITORY.fullmatch(repository) or len(repository) > _MAX_REPOSITORY:
        raise InvalidReferenceError(f"invalid image {text!r}; use HOST/NAME:TAG or HOST/NAME@sha256:…, in lower case")
    return ImageReference(host, repository, tag or ("" if digest else "latest"), digest)


def parse_digest(text: str) -> str:
    """`text`, if it is a digest. Raises InvalidReferenceError."""
    if not _DIGEST.fullmatch(text):
        raise InvalidReferenceError(f"invalid digest {text!r}; use `sha256:` and 64 hexadecimal digits, in lower case")
    return text


def parse_platform(text: str) -> Platform:
    """The platform in `text`. Raises InvalidReferenceError."""
    found = _PLATFORM.fullmatch(text)
    if found is None:
        raise InvalidReferenceError(f"invalid platform {text!r}; use OS/ARCHITECTURE, such as linux/arm64")
    return Platform(found[1], found[2], found[3] or "")
