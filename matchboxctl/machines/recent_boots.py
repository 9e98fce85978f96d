"""The boots of the machines to which something happened last, read in parts."""

from collections.abc import Sequence

from lambda_matchbox.aws.parallel import in_parallel
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.machines.boots import Boot, boots
from lambda_matchbox.machines.history import Record
from lambda_matchbox.machines.history_stores import Page, Wanted
from matchboxctl.machines.boot_facts import BootFacts, boot_facts
from matchboxctl.machines.opened_stores import OpenedStores

MOST_MACHINES = 1000
"""Of which boots are read: each is some queries of the table."""


def recent_machines(since: int, opened: OpenedStores) -> Page:
    """The machines to which something happened since then. Raises FailedError."""
    with opened.history.required() as history:
        return history.page(Wanted(since=since), MOST_MACHINES)


def recent_boots(records: Sequence[Record], since: int, now: int, opened: OpenedStores) -> list[BootFacts]:
    """The boots of these machines since then. Raises FailedError."""
    with opened.history.required() as history:
        events_of = history.events_of(records, since)
    found = [
        (record.identities.keys[0].partition(":")[2], boot, _profile_of(boot))
        for record, events in zip(records, events_of, strict=True)
        for boot in boots(events)
    ]
    profiles = _profiles(opened, {profile for _, _, profile in found if profile})
    return [boot_facts(machine, boot, profiles.get(profile), now) for machine, boot, profile in found]


def _profile_of(boot: Boot) -> str:
    return next((event.profile for event in reversed(boot.events) if event.profile), "")


def _profiles(opened: OpenedStores, ids: set[str]) -> dict[str, Profile | None]:
    found: dict[str, Profile | None] = {}

    def read(profile_id: str) -> None:
        try:
            found[profile_id] = opened.responses().catalog.profile(profile_id)
        except MatchboxError as error:
            opened.warn(f"warning: profile {profile_id} is left out: {error}")

    for _ in in_parallel(read, ids):
        pass
    return found
