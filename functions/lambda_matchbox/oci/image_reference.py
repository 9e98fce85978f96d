"""Which image in which registry? References as `docker pull` takes them, and platforms as OCI writes them."""

import re
from typing import NamedTuple

_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)
# The grammar of a repository's name and of a tag (OCI distribution specification, "Pulling manifests").
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_PLATFORM = re.compile(r"([a-z0-9]+)/([a-z0-9_]+)(?:/([a-z0-9.]+))?", re.ASCII)
_LONGEST_REPOSITORY = 255
_DOCKER_HUB = "docker.io"


class InvalidReferenceError(ValueError):
    """A text that is no image reference, digest or platform; the message shows it and says what one looks like."""


class ImageReference(NamedTuple):
    """An image by its registry's host (with a port, where it has one), its repository, and a tag or a digest or both.

    With both, the digest says which image is meant, as for `docker pull`. The tag is empty where only a digest is
    given.
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
    """What an image runs on; the variant is empty where any will do."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in self if part)


def parse_image_reference(text: str) -> ImageReference:
    """The reference in `text`; without tag and digest it means the tag `latest`. Raises InvalidReferenceError."""
    rest, at, digest = text.partition("@")
    if at:
        digest = parse_digest(digest)
    name, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        name, tag = rest, ""
    elif not _TAG.fullmatch(tag):
        raise InvalidReferenceError(f"{text!r}: {tag!r} is no tag: 1 to 128 letters, digits, `_`, `.` and `-`")
    host, slash, repository = name.partition("/")
    # What docker takes for a host: without a dot or a port it is the first part of a repository on Docker Hub.
    if not slash or not (host == "localhost" or "." in host or ":" in host):
        host, repository = _DOCKER_HUB, name
    if host == _DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    if not _HOST.fullmatch(host):
        raise InvalidReferenceError(f"{text!r}: {host!r} is no host")
    if not _REPOSITORY.fullmatch(repository) or len(repository) > _LONGEST_REPOSITORY:
        raise InvalidReferenceError(f"{text!r} is no image: it is HOST/NAME:TAG or HOST/NAME@sha256:…, in lower case")
    return ImageReference(host, repository, tag or ("" if digest else "latest"), digest)


def parse_digest(text: str) -> str:
    """The digest in `text`, which is returned as it is. Raises InvalidReferenceError."""
    if not _DIGEST.fullmatch(text):
        raise InvalidReferenceError(f"{text!r} is no digest: it is `sha256:` and 64 hexadecimal digits, in lower case")
    return text


def parse_platform(text: str) -> Platform:
    """The platform in `text`. Raises InvalidReferenceError."""
    found = _PLATFORM.fullmatch(text)
    if found is None:
        raise InvalidReferenceError(f"{text!r} is no platform: it is OS/ARCHITECTURE, such as linux/arm64")
    return Platform(found[1], found[2], found[3] or "")
