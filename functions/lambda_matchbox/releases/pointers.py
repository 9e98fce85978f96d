"""Pointers: the served and the kept releases of an image source.

A release is the files of one image in a directory of its own. A source's pointer names the release that is served and
is replaced in one write, so that no machine sees half a release. All functions are pure and receive the time.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    # The boot path reads pointers only.
    from lambda_matchbox.releases.sources import Source

GRACE = 3600
"""Seconds for which a release is kept after it was current, for machines that are booting it."""

RECORD = "release.json"
"""The name of a release's record."""

_RELEASE_KEYS = ("digest", "place", "published", "left")  # in JSON, in the order of Release's fields


class UnknownReleaseError(Exception):
    """The release is not kept, or there is no older one; the message lists those there are."""


class Release(NamedTuple):
    """A kept release: the image's digest, and the directory of its files.

    `published` is when it was first served, `left` when it was last current (None for the current one), both in seconds
    since 1970.
    """

    digest: str
    directory: str
    published: int
    left: int | None = None


class Pointer(NamedTuple):
    """The releases of a source: the one of the digest `current` is served below `assets`.

    `held` says that an operator chose it, so that no sync moves the pointer. `releases` are all that are kept, the
    newest first.
    """

    assets: str
    current: str
    held: bool
    releases: tuple[Release, ...]

    def release(self, digest: str) -> Release | None:
        """The newest release of that digest, None if none is kept; `files` of a source may have changed in between."""
        return next((release for release in self.releases if release.digest == digest), None)

    @property
    def moved(self) -> int:
        """When another release became the current one, in seconds since 1970."""
        return max(moment for one in self.releases for moment in (one.published, one.left or 0))


Pointers = Mapping[str, Pointer]
"""Pointers by the ids of their sources."""


class Covered(NamedTuple):
    """A path below the part of /assets/ that a source fills: the source, and the rest of the path."""

    source_id: str
    pointer: Pointer
    rest: str


def covering(pointers: Pointers, path: str) -> Covered | None:
    """The source that fills the part of /assets/ with this path; None for the operator's own files.

    Sources do not overlap, but a renamed one leaves its pointer until a sync removes it: the latest release counts.
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
    """The prefix of the names of directories for the files that this source extracts from the image of this digest.

    It depends on the choice of files, too, so that served files are never overwritten.
    """
    choice = [[[name, list(paths)] for name, paths in files.items()] for files in source.alternatives]
    return f"{digest.removeprefix('sha256:')}-{hashlib.sha256(json.dumps(choice).encode()).hexdigest()[:8]}-"


def published(pointer: Pointer | None, source: "Source", release: Release, now: int) -> Pointer:
    """The pointer with `release`, new or kept, as the current one, and without releases that are no longer kept.

    Another choice of files of the same image replaces the previous one, which is kept for GRACE.
    """
    others = [] if pointer is None else [one for one in pointer.releases if one.directory != release.directory]
    if pointer is not None:
        served = pointer.release(pointer.current)
        others = [one._replace(left=now) if one == served else one for one in others]
    releases = sorted([release._replace(left=None), *others], key=lambda one: one.published, reverse=True)
    return pruned(Pointer(source.assets, release.digest, held=False, releases=tuple(releases)), source.keep, now)


def rolled_back(pointer: Pointer, digest: str | None, now: int) -> Pointer:
    """The pointer held at the release of `digest`; without one at the newest release older than the current one.

    Where the current one is the oldest, since its tag was moved back, it is the one that was current before. Raises
    UnknownReleaseError.
    """
    digests = list(dict.fromkeys(release.digest for release in pointer.releases))
    if digest is None:
        older = digests[digests.index(pointer.current) + 1 :]
        # After a rollback to the oldest, another one must not go forward.
        others = [one for one in pointer.releases if one.digest != pointer.current and not pointer.held]
        if not older and not others:
            raise UnknownReleaseError(f"no release is older than {pointer.current}")
        digest = older[0] if older else max(others, key=lambda one: one.left or 0).digest
    chosen, served = pointer.release(digest), pointer.release(pointer.current)
    if chosen is None:
        raise UnknownReleaseError(f"no release {digest!r}; kept are {', '.join(digests)}")
    left = {served: now, chosen: None}
    releases = tuple(one._replace(left=left.get(one, one.left)) for one in pointer.releases)
    return pointer._replace(current=digest, held=True, releases=releases)


def pruned(pointer: Pointer, keep: int, now: int) -> Pointer:
    """The pointer without releases that are no longer kept.

    Kept are the newest `keep`, the current one, and those that were current within GRACE.
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
    """The pointer as JSON, the same text for the same pointer."""
    releases = [dict(zip(_RELEASE_KEYS, release, strict=True)) for release in pointer.releases]
    return json.dumps(pointer._asdict() | {"releases": releases}, separators=(",", ":"))


def pointer_in(text: str | bytes) -> Pointer | None:
    """The pointer in JSON; None for an invalid one."""
    try:
        fields: dict[str, Any] = json.loads(text)
        pointer = Pointer(**{**fields, "releases": tuple(_release(**release) for release in fields["releases"])})
    except (ValueError, KeyError, TypeError):
        return None
    return pointer if _is_sound(pointer) else None


def _release(place: str, **fields: Any) -> Release:
    return Release(directory=place, **fields)


def _is_sound(pointer: Pointer) -> bool:
    """Whether all fields have their types, and the current release is kept."""
    texts = [pointer.assets, *(text for release in pointer.releases for text in release[:2])]
    left = [release.left for release in pointer.releases if release.left is not None]
    numbers = [*left, *(release.published for release in pointer.releases)]
    typed = all(isinstance(text, str) for text in texts) and all(isinstance(number, int) for number in numbers)
    return typed and isinstance(pointer.held, bool) and pointer.release(pointer.current) is not None
