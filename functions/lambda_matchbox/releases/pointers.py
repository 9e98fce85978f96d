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
    from lambda_matchbox.releases.sources import Source

GRACE = 3600
"""Seconds for which a release is kept after it was current: machines that were told of it may still be booting."""

RECORD = "release.json"
"""The file of a release that says what it is."""

_RELEASE_KEYS = ("digest", "place", "published", "left")  # of the fields of Release, in JSON


class UnknownReleaseError(Exception):
    """A release that is not kept, or that there is none to go back to; the message says which there are."""


class Release(NamedTuple):
    """A release that is kept: the image's digest, and the directory of its files.

    `published` is when it was first served, `left` when it was last current (None for the current one), both in seconds
    since 1970.
    """

    digest: str
    directory: str
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
        """The release of that digest, None where it is not kept; of several choices of its files the newest."""
        return next((release for release in self.releases if release.digest == digest), None)


Pointers = Mapping[str, Pointer]
"""Pointers by the ids of their sources."""


class Covered(NamedTuple):
    """A path of /assets/ that a source's releases fill: whose it is, and the rest of the path below its part."""

    source_id: str
    pointer: Pointer
    rest: str


def covering(pointers: Pointers, path: str) -> Covered | None:
    """The source whose part of /assets/ has this path in it, or is it; None where the operator's own files count.

    Sources do not overlap, but one that was renamed leaves its pointer until a sync removes it: the one whose release
    was published last counts.
    """
    best: Covered | None = None
    for source_id, pointer in pointers.items():
        covers = path == pointer.assets or path.startswith(f"{pointer.assets}/")
        if covers and (best is None or _age(source_id, pointer) > _age(best.source_id, best.pointer)):
            best = Covered(source_id, pointer, path[len(pointer.assets) + 1 :])
    return best


def _age(source_id: str, pointer: Pointer) -> tuple[int, str]:
    served = pointer.release(pointer.current)
    return (0 if served is None else served.published, source_id)


def directory_prefix(digest: str, source: "Source") -> str:
    """What the names begin with of places for the files that this source takes from the image of this digest.

    Another choice of files is another place: what is served is never overwritten.
    """
    choice = [[[name, list(paths)] for name, paths in places.items()] for places in source.alternatives]
    return f"{digest.removeprefix('sha256:')}-{hashlib.sha256(json.dumps(choice).encode()).hexdigest()[:8]}-"


def published(pointer: Pointer | None, source: "Source", release: Release, now: int) -> Pointer:
    """The pointer once `release` is current, be it new or kept already; what is kept no longer is left out.

    Another choice of files of the same image takes the place of the one before, whose files stay for their hour.
    """
    others = [] if pointer is None else [one for one in pointer.releases if one.directory != release.directory]
    if pointer is not None:
        served = pointer.release(pointer.current)
        others = [one._replace(left=now) if one == served else one for one in others]
    releases = _newest_first([release._replace(left=None), *others])
    return pruned(Pointer(source.assets, release.digest, held=False, releases=releases), source.keep, now)


def rolled_back(pointer: Pointer, digest: str | None, now: int) -> Pointer:
    """The pointer held at the release of `digest`.

    Without one, at the newest release that is older than the current; where the current is the oldest, since its tag
    was moved back to it, at the one that was current before. Raises UnknownReleaseError.
    """
    digests = list(dict.fromkeys(release.digest for release in pointer.releases))
    if digest is None:
        older = digests[digests.index(pointer.current) + 1 :]
        # Who has rolled back to the oldest does not want to go forward.
        others = [one for one in pointer.releases if one.digest != pointer.current and not pointer.held]
        if not older and not others:
            raise UnknownReleaseError(f"there is no release older than {pointer.current}")
        digest = older[0] if older else max(others, key=lambda one: one.left or 0).digest
    chosen, served = pointer.release(digest), pointer.release(pointer.current)
    if chosen is None:
        raise UnknownReleaseError(f"no release {digest!r} is kept; there are {', '.join(digests)}")
    left = {served: now, chosen: None}
    releases = tuple(one._replace(left=left.get(one, one.left)) for one in pointer.releases)
    return pointer._replace(current=digest, held=True, releases=releases)


def pruned(pointer: Pointer, keep: int, now: int) -> Pointer:
    """The pointer without the releases that are kept no longer.

    Kept are the newest `keep`, the current one, and those that were current within the last hour.
    """
    newest = list(dict.fromkeys(release.digest for release in pointer.releases))[:keep]
    kept = [
        release
        for release in pointer.releases
        if (release.digest in (*newest, pointer.current) and release == pointer.release(release.digest))
        or (release.left is not None and now - release.left < GRACE)
    ]
    return pointer._replace(releases=tuple(kept))


def pointer_text(pointer: Pointer) -> str:
    """The pointer as JSON, always the same for the same pointer."""
    releases = [dict(zip(_RELEASE_KEYS, release, strict=True)) for release in pointer.releases]
    return json.dumps(pointer._asdict() | {"releases": releases}, separators=(",", ":"))


def pointer_in(text: str | bytes) -> Pointer | None:
    """The pointer in JSON; None where it is none."""
    try:
        fields: dict[str, Any] = json.loads(text)
        pointer = Pointer(**{**fields, "releases": tuple(_release(**release) for release in fields["releases"])})
    except (ValueError, KeyError, TypeError):
        return None
    return pointer if _is_sound(pointer) else None


def _release(place: str, **fields: Any) -> Release:
    return Release(directory=place, **fields)


def _is_sound(pointer: Pointer) -> bool:
    """Whether all is of its type, and the current release among those kept: JSON can say anything."""
    texts = [pointer.assets, *(text for release in pointer.releases for text in release[:2])]
    left = [release.left for release in pointer.releases if release.left is not None]
    numbers = [*left, *(release.published for release in pointer.releases)]
    typed = all(isinstance(text, str) for text in texts) and all(isinstance(number, int) for number in numbers)
    return typed and isinstance(pointer.held, bool) and pointer.release(pointer.current) is not None


def _newest_first(releases: list[Release]) -> tuple[Release, ...]:
    return tuple(sorted(releases, key=lambda release: release.published, reverse=True))
