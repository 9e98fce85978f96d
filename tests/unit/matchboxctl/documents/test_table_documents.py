"""What a deletion reports after attempts that failed."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.session import Session

from lambda_matchbox.errors import StoreUnavailableError
from matchboxctl.documents.table_documents import TableDocuments
from matchboxctl.store.mode import StoreSettings


class _Writer(NamedTuple):
    delete_profile: Callable[[str], bool]


@pytest.mark.parametrize(
    ("first", "deleted"),
    [
        (StoreUnavailableError("profile 'a': TransactionConflict"), False),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), True),
    ],
    ids=["refused", "outcome unknown"],
)
def test_a_deletion_counts_only_attempts_of_unknown_outcome(
    first: Exception, deleted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes: list[Exception | bool] = [first, False]

    def delete(_: str) -> bool:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(TableDocuments, "_writer", _Writer(delete))
    store = StoreSettings("table", "bucket", "eu-west-1", None, None, Session())
    assert deleted == TableDocuments(store, 60).delete_profile("a")
