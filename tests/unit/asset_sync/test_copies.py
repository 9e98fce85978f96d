"""Copies of releases for CloudFront, as the function makes them."""

import json

import pytest

from lambda_matchbox.aws.releases.copies import ReleaseCopies
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.image_sync.job import SyncFailedError
from lambda_matchbox.image_sync.metrics import FAILED
from tests.unit.asset_sync.sync_function import SCHEDULE, Function
from tests.unit.image_sync.sync_subject import talos

ONE = talos(b"one kernel")


def test_bucket_gains_the_copies_for_cloudfront_when_nothing_is_due(function: Function) -> None:
    """The door has just become CloudFront."""
    function.add("arm", ONE)
    function.run(SCHEDULE)
    assert [] == function.keys("served/")
    function.environment["MATCHBOX_RELEASE_COPIES"] = "true"
    assert ["arm"] == function.run(SCHEDULE).not_due
    digits = str(function.served("arm")).removeprefix("sha256:")
    assert {"served/assets/arm/vmlinuz", f"served/assets/arm/vmlinuz.release-{digits}"} <= set(function.keys("served/"))


def test_failed_copies_fail_the_run_alone_and_the_next_one_makes_them(
    function: Function, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The failed invocation raises the alarm, and Lambda invokes the function again."""

    def unavailable(_: ReleaseCopies) -> None:
        raise StoreUnavailableError("the bucket is away")

    function.environment |= {"MATCHBOX_RELEASE_COPIES": "true", "POWERTOOLS_METRICS_NAMESPACE": "test"}
    function.add("arm", ONE)
    with monkeypatch.context() as patched:
        patched.setattr(ReleaseCopies, "complete", unavailable)
        why = "^cannot copy the releases for CloudFront: the bucket is away; the next run tries again$"
        with pytest.raises(SyncFailedError, match=why):
            function.run(SCHEDULE)
    assert ONE.digest == function.served("arm")
    assert [("synced", None), ("releases not copied for CloudFront", "the bucket is away")] == [
        (line["message"], line.get("reason")) for line in function.log
    ]
    assert [[0.0], [1.0]] == [json.loads(line)[FAILED] for line in capsys.readouterr().out.splitlines()]
    assert "served/assets/arm/vmlinuz" not in function.keys("served/")
    assert ["arm"] == function.run(SCHEDULE).not_due
    assert "served/assets/arm/vmlinuz" in function.keys("served/")
