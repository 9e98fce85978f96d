"""Copies of releases in the bucket are what the app would serve."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambda_matchbox.aws.keys import SERVED_PREFIX
from lambda_matchbox.aws.releases import copies
from lambda_matchbox.aws.releases.copies import ReleaseCopies
from lambda_matchbox.image_sync.withdrawal import withdraw
from lambda_matchbox.releases.pointers import GRACE, Pointer, rolled_back
from tests.contract.copied_releases import ONE, PATHS, SOURCE, THREE, TWO, Door, assert_as_the_app, put_own


def test_releases_come_over_own_files(door: Door) -> None:
    put_own(door, "own", "talos/own", PATHS[0])
    assert_as_the_app(door, releases=(None,))
    door.publish(ONE, "one", {"vmlinuz": b"kernel 1", "boot/a file+ü%41": b"1", "extra": b"gone later"}, 100)
    assert_as_the_app(door)
    assert b"kernel 1" == door.cloudfront(PATHS[0], None) == door.cloudfront(PATHS[0], ONE)
    door.publish(TWO, "two", {"vmlinuz": b"kernel 2", "boot/a file+ü%41": b"2"}, 200)
    assert_as_the_app(door)
    assert (b"kernel 2", b"kernel 1", None) == (
        door.cloudfront(PATHS[0], None),
        door.cloudfront(PATHS[0], ONE),
        door.cloudfront("talos/arm64/extra", None),
    )


def test_release_that_is_not_kept_is_no_other_and_no_own_file(door: Door) -> None:
    put_own(door, PATHS[0])
    door.publish(ONE, "one", {"vmlinuz": b"kernel 1"}, 100)
    assert (None, None) == (door.cloudfront(PATHS[0], TWO), door.app(PATHS[0], TWO))


def test_rollback_and_follow_move_stable_names(door: Door) -> None:
    for digest, now in ((ONE, 100), (TWO, 200)):
        door.publish(digest, digest[-3:], {"vmlinuz": digest.encode(), digest[-1]: b""}, now)
    old = door.store.pointer()
    assert old is not None
    door.store.move(old, rolled_back(old, None, 300))
    assert ONE.encode() == door.cloudfront(PATHS[0], None)
    assert {"talos/arm64/vmlinuz", "talos/arm64/1"} == {key for key in door.copied() if ".release-" not in key}
    assert_as_the_app(door)


def test_former_choice_of_files_is_served_while_it_is_kept(door: Door) -> None:
    door.publish(ONE, "one", {"vmlinuz": b"kernel", "extra": b"former"}, 100)
    door.publish(ONE, "other", {"vmlinuz": b"other kernel"}, 200)
    assert (b"other kernel", b"former") == tuple(door.cloudfront(path, ONE) for path in (PATHS[0], PATHS[2]))
    assert_as_the_app(door)


def test_copies_are_cached_as_long_as_they_hold(door: Door) -> None:
    """A release is kept for GRACE after it was current, and no cache has it for longer."""
    door.publish(ONE, "one", {"vmlinuz": b"kernel"}, 100)
    kept, current = (door.head(key) for key in (f"talos/arm64/vmlinuz.release-{ONE[7:]}", "talos/arm64/vmlinuz"))
    assert (f"max-age={GRACE}", "text/x") == (kept["CacheControl"], kept["ContentType"])
    assert ("max-age=60", "text/x") == (current["CacheControl"], current["ContentType"])


def test_cache_that_asks_again_after_the_hour_gets_no_bytes(door: Door) -> None:
    """Also after the copy was made again."""
    door.publish(ONE, "one", {"vmlinuz": b"kernel"}, 100)
    path = f"talos/arm64/vmlinuz.release-{ONE[7:]}"
    known = door.head(path)["ETag"]
    clients = door.stored.stores.clients()
    clients.s3.delete_object(Bucket=clients.bucket, Key=SERVED_PREFIX + path)
    door.copies.complete()
    with pytest.raises(ClientError, match="304"):
        clients.s3.get_object(Bucket=clients.bucket, Key=SERVED_PREFIX + path, IfNoneMatch=known)


def test_pruned_release_goes_when_no_sync_can_be_under_way(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    keep = SOURCE._replace(keep=1)
    door.publish(ONE, "one", {"vmlinuz": b"1"}, 100, keep)
    door.publish(TWO, "two", {"vmlinuz": b"2"}, 100 + 2 * GRACE, keep)
    door.publish(THREE, "three", {"vmlinuz": b"3"}, 100 + 4 * GRACE, keep)
    assert f"talos/arm64/vmlinuz.release-{ONE[7:]}" in door.copied()
    monkeypatch.setattr(copies, "GRACE", -60)
    door.copies.complete()
    left = {"talos/arm64/vmlinuz", *(f"talos/arm64/vmlinuz.release-{digest[7:]}" for digest in (TWO, THREE))}
    assert left == door.copied()


def test_withdrawn_source_leaves_stable_names_to_own_files(door: Door) -> None:
    put_own(door, PATHS[0])
    door.publish(ONE, "one", {"vmlinuz": b"kernel"}, 100)
    withdraw(door.store)
    assert b"own" == door.cloudfront(PATHS[0], None) == door.app(PATHS[0], None)


def test_source_that_moves_leaves_nothing_behind(door: Door) -> None:
    door.publish(ONE, "one", {"vmlinuz": b"kernel"}, 100)
    door.publish(ONE, "one", {"vmlinuz": b"kernel"}, 200, SOURCE._replace(assets="elsewhere"))
    assert (None, b"kernel") == tuple(door.cloudfront(f"{part}/vmlinuz", None) for part in ("talos/arm64", "elsewhere"))


def test_renamed_source_counts_and_its_end_takes_nothing_away(make_door: Callable[..., Door]) -> None:
    before, door = make_door("before"), make_door()
    before.publish(ONE, "one", {"vmlinuz": b"before", "extra": b"before"}, 100)
    door.publish(TWO, "two", {"vmlinuz": b"renamed"}, 200)
    assert_as_the_app(door, releases=(None, TWO))
    withdraw(before.store)
    assert_as_the_app(door, releases=(None, TWO))
    assert b"renamed" == door.cloudfront(PATHS[0], None)


def test_bucket_without_copies_gains_them_at_the_first_run(make_door: Callable[..., Door]) -> None:
    """That of a stack whose door was a load balancer; until then nothing is copied for nobody."""
    without = make_door(required=None)
    without.publish(ONE, "one", {"vmlinuz": b"1"}, 100)
    without.publish(TWO, "two", {"vmlinuz": b"2"}, 200)
    without.copies.complete()
    assert set() == without.copied()
    make_door().copies.complete()
    assert_as_the_app(without)
    without.publish(THREE, "three", {"vmlinuz": b"3"}, 300)
    assert_as_the_app(without)


def test_scripts_name_no_release_before_it_is_copied(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    door.publish(ONE, "one", {"vmlinuz": b"1"}, 100)
    seen = []
    write = door.store._write

    def watched(old: Pointer | None, new: Pointer | None, lease: str | None) -> None:
        seen.append((door.cloudfront(PATHS[0], TWO), door.cloudfront(PATHS[0], None)))
        write(old, new, lease)

    monkeypatch.setattr(door.store, "_write", watched)
    door.publish(TWO, "two", {"vmlinuz": b"2"}, 200)
    assert [(b"2", b"1")] == seen


def test_interrupted_publication_is_completed_by_the_next_run(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    door.publish(ONE, "one", {"vmlinuz": b"1"}, 100)
    with monkeypatch.context() as patched:
        patched.setattr(ReleaseCopies, "complete", lambda _: None)
        door.publish(TWO, "two", {"vmlinuz": b"2"}, 200)
    assert b"1" == door.cloudfront(PATHS[0], None)
    door.copies.complete()
    assert_as_the_app(door)


def test_pointer_that_moves_again_is_followed(make_door: Callable[..., Door], monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody rolls back while a sync copies: whoever ends last has copied what is current."""
    door, other = make_door(), make_door()
    door.publish(ONE, "one", {"vmlinuz": b"1"}, 100)
    copy = ReleaseCopies._copy
    moves = []

    def interrupted(self: ReleaseCopies, *arguments: Any) -> None:
        copy(self, *arguments)
        pointer = other.store.pointer()
        if pointer is not None and pointer.current == TWO and not moves:
            moves.append(pointer)
            other.store.move(pointer, rolled_back(pointer, ONE, 300))

    monkeypatch.setattr(ReleaseCopies, "_copy", interrupted)
    door.publish(TWO, "two", {"vmlinuz": b"2"}, 200)
    assert (1, b"1") == (len(moves), door.cloudfront(PATHS[0], None))
