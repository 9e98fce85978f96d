"""Which entry of an index is the one for a platform?"""

from collections.abc import Iterable

from lambda_matchbox.oci.distribution.manifest_documents import IndexEntry
from lambda_matchbox.oci.image_reference import Platform

EXACT = 0


def rank(found: Platform, wanted: Platform) -> int | None:
    """How well a platform fits: EXACT is best, None is not at all.

    Without a wanted variant any will do, and one that has none is preferred. `arm64` and `arm64/v8` are the same.
    """
    if found[:2] != wanted[:2]:
        return None
    variant = _plain_variant(found)
    if variant == _plain_variant(wanted):
        return EXACT
    return None if wanted.variant else 1


class Choice:
    """The best of the entries that were shown to it, of one index or of several; the first of equals."""

    def __init__(self, wanted: Platform) -> None:
        self._wanted = wanted
        self._fitting: list[tuple[int, IndexEntry]] = []
        self._without_platform: list[IndexEntry] = []
        self._seen: dict[str, None] = {}

    def show(self, entries: Iterable[IndexEntry]) -> tuple[IndexEntry, ...]:
        """Consider the images among the entries; returns the indexes among them that may hold a fitting image."""
        indexes = []
        for entry in entries:
            if entry.is_attestation:
                continue
            fits = None if entry.platform is None else rank(entry.platform, self._wanted)
            if entry.platform is not None:
                self._seen[str(entry.platform)] = None
            if entry.is_index:
                if entry.platform is None or fits is not None:
                    indexes.append(entry)
            elif entry.platform is None:
                self._without_platform.append(entry)
            elif fits is not None:
                self._fitting.append((fits, entry))
        return tuple(indexes)

    @property
    def is_certain(self) -> bool:
        """Whether nothing can be better than what was shown."""
        return any(fits == EXACT for fits, _ in self._fitting)

    @property
    def best(self) -> IndexEntry | None:
        """The entry to take. An image that says nothing of platforms is taken where it is the only one at all."""
        if self._fitting:
            return min(self._fitting, key=lambda one: one[0])[1]
        if len(self._without_platform) == 1 and not self._seen:
            return self._without_platform[0]
        return None

    @property
    def seen(self) -> tuple[str, ...]:
        """The platforms that are there."""
        return tuple(self._seen)


def _plain_variant(platform: Platform) -> str:
    return "" if (platform.architecture, platform.variant) == ("arm64", "v8") else platform.variant
