"""fsck finds and repairs copies for CloudFront that are not what the app would serve."""

import math
from collections.abc import Callable

import pytest

from lambda_matchbox.aws.clients.s3 import S3
from lambda_matchbox.aws.fsck.copy_rules import check_copies
from lambda_matchbox.aws.fsck.rules import Kind
from lambda_matchbox.aws.keys import SERVED_PREFIX
from lambda_matchbox.aws.releases import copies
from lambda_matchbox.aws.releases.copies import ReleaseCopies
from matchboxctl.main import main
from tests.contract.copied_releases import ONE, PATHS, TWO, Door, assert_as_the_app, put_own
from tests.rigs.service import Service
from tests.unit.matchboxctl.store.test_stack import make_stack

Found = list[tuple[Kind, str, bool]]
PINNED = f"{PATHS[0]}.release-{ONE[7:]}"
LACKS = (
    "CloudFront does not find 'releases/arm/{}/vmlinuz': its copy 'served/assets/{}' is missing or that of another file"
)


def fsck(door: Door, *, repair: bool = False, required: bool | None = None, settled: float = 0) -> Found:
    """The findings on copies."""
    found = check_copies(ReleaseCopies(door.store._clients, required=required), settled, repair=repair)
    return [tuple(each) for each in found]  # type: ignore[misc]


@pytest.fixture
def door(door: Door) -> Door:
    """With a release that is current, and one that was."""
    door.publish(ONE, "one", {"vmlinuz": b"1"}, 100)
    door.publish(TWO, "two", {"vmlinuz": b"2"}, 200)
    return door


def delete(door: Door, path: str) -> None:
    door.store._clients.s3.delete(SERVED_PREFIX + path, math.inf)


def put(door: Door, path: str) -> None:
    door.store._clients.s3.put(SERVED_PREFIX + path, b"x", "text/x", math.inf)


def test_sound_copies_have_no_findings(door: Door) -> None:
    assert [] == fsck(door, repair=True)


@pytest.mark.parametrize("damage", [delete, put])
def test_missing_and_old_copies_are_made(door: Door, damage: Callable[[Door, str], None]) -> None:
    for path in (PATHS[0], PINNED):
        damage(door, path)
    lost = {(Kind.LOST_OBJECT, LACKS.format("one", PINNED)), (Kind.LOST_OBJECT, LACKS.format("two", PATHS[0]))}
    for repair in (False, True):
        assert {(*each, repair) for each in lost} == set(fsck(door, repair=repair))
    assert [] == fsck(door)
    assert_as_the_app(door)


def test_copies_that_nobody_needs_are_deleted(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of a release when no sync can be about to name it."""
    old = f"gone/initramfs.release-{'9' * 64}"
    for path in ("gone/vmlinuz", old):
        put(door, path)
    current = (Kind.WRONG, "CloudFront serves 'served/assets/gone/vmlinuz', which no current release has")
    assert [(*current, False)] == fsck(door)
    monkeypatch.setattr(copies, "GRACE", -60)
    unused = (Kind.UNUSED_OBJECT, f"no kept release has the copy 'served/assets/{old}' for CloudFront")
    for repair in (False, True):
        assert [(*unused, repair), (*current, repair)] == fsck(door, repair=repair)
    assert [] == fsck(door)


def test_own_files_that_no_copy_hides_are_noted(door: Door) -> None:
    """The app serves releases only below a source's part."""
    put_own(door, PATHS[0], PATHS[2], "own")
    note = f"CloudFront serves 'assets/{PATHS[2]}', which the app does not: it lies where a source has releases"
    assert [(Kind.NOTE, f"{note}; move or delete it", False)] == fsck(door, repair=True)
    assert (b"own", None) == (door.cloudfront(PATHS[2], None), door.app(PATHS[2], None))
    assert (b"2", b"2") == (door.cloudfront(PATHS[0], None), door.app(PATHS[0], None))


def test_copies_that_somebody_is_making_are_not_missing(door: Door) -> None:
    delete(door, PATHS[0])
    assert [] == fsck(door, settled=10**10)


def test_only_a_stack_with_cloudfront_needs_copies(
    make_door: Callable[..., Door], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is not known whether it has one, as where names are given, a bucket with copies needs all of them."""
    door = make_door(required=False)
    door.publish(ONE, "one", {"vmlinuz": b"1"}, 100)
    assert [] == fsck(door)
    assert 2 == len(fsck(door, required=True))

    def listed(_: S3, prefix: str, __: float) -> None:
        raise AssertionError(prefix)

    monkeypatch.setattr(S3, "objects", listed)
    assert [] == fsck(door, required=False)


def test_stack_says_whether_copies_are_missing(
    make_door: Callable[..., Door],
    moto_server: Service,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Also in a bucket that has none yet."""
    door = make_door(required=False)
    door.publish(ONE, "one", {"vmlinuz": b"1"}, 100)
    environment = door.stored.stores.environment() | {"AWS_ENDPOINT_URL_CLOUDFORMATION": moto_server.endpoint}
    for name, value in environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    outputs = dict.fromkeys(("TableName", "BucketName"), door.stored.stores.name)
    for front, missing in (("alb", 0), ("cloudfront", 2)):
        main(["fsck", "--stack", make_stack(moto_server, outputs, {"FrontDoor": front})])
        assert missing == capsys.readouterr().out.count("lost object: CloudFront does not find")
