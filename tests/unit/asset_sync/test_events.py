"""What an event asks the function for."""

from typing import Any

import pytest

from asset_sync.handler import requested_source
from lambda_matchbox.image_sync.job import SyncFailedError
from tests.unit.asset_sync.sync_function import ON_DEMAND, SCHEDULE


@pytest.mark.parametrize(
    ("event", "source"),
    [
        (SCHEDULE, None),
        (ON_DEMAND, "talos-arm64"),
        # What a schedule without an input of its own sends.
        ({"version": "0", "detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": "{}"}, None),
    ],
)
def test_event_names_a_source_or_none(event: dict[str, Any], source: str | None) -> None:
    """A schedule's event names none."""
    assert source == requested_source(event)


@pytest.mark.parametrize("event", [{"source": ["talos"]}, {"source": 5}, ["talos"], "talos", None])
def test_invalid_event_is_an_error(event: object) -> None:
    with pytest.raises(SyncFailedError, match=r"^the event('s source is not an id| is not an object such as .*): "):
        requested_source(event)
