"""Which release of an image source is served, and which are kept?

A release is what one image gave, staged whole under a place of its own. A source's pointer says which release is
served; it is moved in one write, so that nobody sees half a release. Everything here is pure: the moment is given.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    # The boot path reads pointers only.
    from matchbox.sources import Source

GRACE = 3600
"""Seconds for which a release is kept after it was current: machines that were told of it may still be booting."""

RECORD = "release.json"
"""The file of a release that says what it is."""


class UnknownReleaseError(Exception):
    """A release that is not kept, or that there is none to go back to; the message says which there are."""


class Release(NamedTuple):
    """A release that is kept: the image's digest, and the place of its files.

    `published` is when it was first served, `left` when it was last current (None for the current one), both in seconds
    since 1970.
    """

    digest: str
    place: str
    published: int
    left: int | None = None


class Pointer(NamedTuple):
    """What is served of a source: below `assets` the release of the digest `current`.

    `held` says that an operator chose it, so that no sync moves the pointer. `releases` are those kept, the newest
    first; the current one is among them.
    """

    assets: str
    current: str
    held: bool
    releases: tuple[Release, ...]

    def release(self, digest: str) -> Release | None:
        """The release of that digest, None where it is not kept."""
        return next((release for release in self.releases if release.digest == digest), None)


Pointers = Mapping[str, Pointer]
"""Pointers by the ids of their sources."""


class Covered(NamedTuple):
    """A path of /assets/ that a source's releases fill: whose it is, and the rest of the path below its part."""

    source_id: str
    pointer: Pointer
    rest: str


def covering(pointers: Pointers, path: str) -> Covered | None:
    """The source whose part of /assets/ has this path in it, or is it; None where the operator's own files count."""
    best: Covered | None = None
    for source_id, pointer in pointers.items():
        covers = path == pointer.assets or path.startswith(f"{pointer.assets}/")
        if covers and (best is None or len(pointer.assets) > len(best.pointer.assets)):
            best = Covered(source_id, pointer, path[len(pointer.assets) + 1 :])
    return best


def place_stem(digest: str, source: "Source") -> str:
    """What the names begin with of places for the files that this source takes from the image of this digest.

    Another choice of files is another place: what is served is never overwritten.
    """
    choice = [[[name, list(paths)] for name, paths in places.items()] for places in source.alternatives]
    return f"{digest.removeprefix('sha256:')}-{hashlib.sha256(json.dumps(choice).encode()).hexdigest()[:8]}-"


def published(pointer: Pointer | None, source: "Source", release: Release, now: int) -> Pointer:
    """The pointer once `release` is current, be it new or kept already; what is kept no longer is left out."""
    others = [] if pointer is None else [one for one in pointer.releases if one.digest != release.digest]
    if pointer is not None:
        others = [one._replace(left=now) if one.digest == pointer.current else one for one in others]
    releases = _newest_first([release._replace(left=None), *others])
    return pruned(Pointer(source.assets, release.digest, held=False, releases=releases), source.keep, now)


def rolled_back(pointer: Pointer, digest: str | None, now: int) -> Pointer:
    """The pointer held at the release of `digest`, or at the newest one older than the current.

    Raises UnknownReleaseError.
    """
    if digest is None:
        digests = [release.digest for release in pointer.releases]
        older = digests[digests.index(pointer.current) + 1 :]
        if not older:
            raise UnknownReleaseError(f"there is no release older than {pointer.current}")
        digest = older[0]
    chosen = pointer.release(digest)
    if chosen is None:
        kept = ", ".join(release.digest for release in pointer.releases)
        raise UnknownReleaseError(f"no release {digest!r} is kept; there are {kept}")
    releases = tuple(
        one._replace(left=None)
        if one.digest == digest
        else one._replace(left=now)
        if one.digest == pointer.current
        else one
        for one in pointer.releases
    )
    return pointer._replace(current=digest, held=True, releases=releases)


def pruned(pointer: Pointer, keep: int, now: int) -> Pointer:
    """The pointer without the releases that are kept no longer.

    Kept are the newest `keep`, the current one, and those that were current within the last hour.
    """
    kept = [
        release
        for number, release in enumerate(pointer.releases)
        if number < keep
        or release.digest == pointer.current
        or (release.left is not None and now - release.left < GRACE)
    ]
    return pointer._replace(releases=tuple(kept))


def pointer_text(pointer: Pointer) -> str:
    """The pointer as JSON, always the same for the same pointer."""
    fields = pointer._asdict() | {"releases": [release._asdict() for release in pointer.releases]}
    return json.dumps(fields, separators=(",", ":"))


def pointer_in(text: str | bytes) -> Pointer | None:
    """The pointer in JSON; None where it is none."""
    try:
        fields: dict[str, Any] = json.loads(text)
        pointer = Pointer(**{**fields, "releases": tuple(Release(**release) for release in fields["releases"])})
    except (ValueError, KeyError, TypeError):
        return None
    return pointer if _is_sound(pointer) else None


def _is_sound(pointer: Pointer) -> bool:
    """Whether all is of its type, and the current release among those kept: JSON can say anything."""
    texts = [pointer.assets, *(text for release in pointer.releases for text in release[:2])]
    numbers = [number for release in pointer.releases for number in (release.published, release.left or 0)]
    typed = all(isinstance(text, str) for text in texts) and all(isinstance(number, int) for number in numbers)
    return typed and isinstance(pointer.held, bool) and pointer.release(pointer.current) is not None


def _newest_first(releases: list[Release]) -> tuple[Release, ...]:
    return tuple(sorted(releases, key=lambda release: release.published, reverse=True))
