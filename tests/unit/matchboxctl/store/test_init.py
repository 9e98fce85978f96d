"""Creation of table and bucket."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from matchboxctl.main import main
from matchboxctl.store.mode import StoreSettings
from tests.rigs.service import Service
from tests.rigs.stores import new_stores

ACCOUNT = "123456789012"
OTHER = "999999999999"

S3Calls = list[tuple[str, str | None]]


@pytest.fixture
def owned_by(moto_server: Service, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], S3Calls]:
    """Give S3's buckets to an account; the list takes the calls, with the owner that each expects.

    As S3 does ("Verifying bucket ownership with bucket owner condition"), and moto does not.
    """
    for name, value in new_stores(moto_server, moto_server).environment().items():
        monkeypatch.setenv(name, value)
    new_client = StoreSettings.s3

    def give(owner: str) -> S3Calls:
        calls: S3Calls = []

        def response(model: Any, params: dict[str, Any], **_: object) -> tuple[Any, dict[str, Any]] | None:
            expected = params["headers"].get("x-amz-expected-bucket-owner")
            calls.append((model.name, expected))
            if expected in (None, owner):
                return None
            return SimpleNamespace(status_code=403), {"Error": {"Code": "403", "Message": "Forbidden"}}

        def client(self: StoreSettings, attempts: Any = None) -> Any:
            made = new_client(self, attempts)
            made.meta.events.register("before-call.s3", response)
            return made

        monkeypatch.setattr(StoreSettings, "s3", client)
        return calls

    return give


def test_every_call_expects_a_bucket_of_the_tables_account(owned_by: Callable[[str], S3Calls]) -> None:
    """But the creation, which makes one."""
    assert 0 == main(["init"])
    calls = owned_by(ACCOUNT)
    assert 0 == main(["init"])
    assert [
        ("HeadBucket", ACCOUNT),
        ("GetBucketLifecycleConfiguration", ACCOUNT),
        ("PutBucketLifecycleConfiguration", ACCOUNT),
    ] == calls


def test_bucket_of_another_account_is_refused(
    owned_by: Callable[[str], S3Calls], capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever has it would read every configuration, and decide what machines run."""
    assert 0 == main(["init"])
    calls = owned_by(OTHER)
    capsys.readouterr()
    assert 1 == main(["init"])
    printed = capsys.readouterr()
    assert "bucket" not in printed.out
    assert f"is not account {ACCOUNT}'s, or these credentials lack s3:ListBucket: choose another name" in printed.err
    assert [("HeadBucket", ACCOUNT)] == calls


def test_history_table_is_created_where_one_is_named(
    moto_server: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stores = new_stores(moto_server, moto_server)
    history = f"{stores.name}-history"
    for name, value in (stores.environment() | {"MATCHBOX_HISTORY_TABLE": history}).items():
        monkeypatch.setenv(name, value)
    for state in ("created", "exists"):
        assert 0 == main(["init"])
        assert f"history table {history}: {state}" in capsys.readouterr().out.splitlines()
    assert 0 == main(["machine", "list"])
    assert "no machine was seen yet" in capsys.readouterr().err
