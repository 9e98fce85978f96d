"""Copies of releases for CloudFront, as the function makes them."""

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
