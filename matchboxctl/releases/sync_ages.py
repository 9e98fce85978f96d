"""When image sources were last up to date."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from lambda_matchbox.image_sync.sources import SourceStores

_MOST_INTERVALS = 2


class SyncAge(NamedTuple):
    """When a source was last up to date, in seconds since 1970, None for never; its interval, 0 if it is invalid."""

    source_id: str
    checked: int | None
    interval: int

    def is_overdue(self, now: float) -> bool:
        """Whether more than one sync is missing."""
        return self.checked is None or now - self.checked > _MOST_INTERVALS * self.interval


class SyncAges(NamedTuple):
    """The ages of all sources, and a message for each that is invalid."""

    ages: Sequence[SyncAge]
    refused: Sequence[str]

    @property
    def overdue(self) -> Sequence[SyncAge]:
        """Those that are overdue now."""
        now = time.time()
        return [age for age in self.ages if age.interval and age.is_overdue(now)]


def sync_ages(stores: SourceStores) -> SyncAges:
    """The ages of the sources in the stores."""
    found = stores.sources()
    intervals = {source_id: source.interval for source_id, source in found.sources.items()}
    ages = [SyncAge(one, stores.releases(one).checked(), intervals.get(one, 0)) for one in sorted(found.named)]
    return SyncAges(ages, found.refused)
