"""Choice of the index entry for a platform."""

from collections.abc import Iterable

from lambda_matchbox.oci.distribution.manifests import IndexEntry
from lambda_matchbox.oci.image_reference import Platform

_EXACT = 0


class PlatformChoice:
    """The best of the entries added so far, of one index or of several; the first of equals."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._matches: list[tuple[int, IndexEntry]] = []
        self._without_platform: list[IndexEntry] = []
        self._platforms: dict[str, None] = {}

    def add(self, entries: Iterable[IndexEntry]) -> tuple[IndexEntry, ...]:
        """Consider the images among the entries; returns the indexes that may hold a matching one."""
        indexes = []
        for entry in entries:
            if entry.is_attestation:
                continue
            rank = None if entry.platform is None else _rank(entry.platform, self._platform)
            if entry.platform is not None:
                self._platforms[str(entry.platform)] = None
            if entry.is_index:
                if entry.platform is None or rank is not None:
                    indexes.append(entry)
            elif entry.platform is None:
                self._without_platform.append(entry)
            elif rank is not None:
                self._matches.append((rank, entry))
        return tuple(indexes)

    @property
    def is_final(self) -> bool:
        """Whether no further entry can be better."""
        return any(rank == _EXACT for rank, _ in self._matches)

    @property
    def best(self) -> IndexEntry | None:
        """The entry to take. An image without a platform is taken where it is the only one."""
        if self._matches:
            return min(self._matches, key=lambda match: match[0])[1]
        if len(self._without_platform) == 1 and not self._platforms:
            return self._without_platform[0]
        return None

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platforms of all entries."""
        return tuple(self._platforms)


def _rank(offered: Platform, wanted: Platform) -> int | None:
    """How well a platform matches: _EXACT is best, None is not at all.

    Without a wanted variant any matches, and an entry without one is preferred. `arm64` and `arm64/v8` are the same.
    """
    if offered[:2] != wanted[:2]:
        return None
    variant = _canonical_variant(offered)
    if variant == _canonical_variant(wanted):
        return _EXACT
    return None if wanted.variant else 1


def _canonical_variant(platform: Platform) -> str:
    return "" if (platform.architecture, platform.variant) == ("arm64", "v8") else platform.variant
