"""What machines get, and who is warned, when copies for CloudFront fail."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any
from unittest.mock import patch

import pytest

from lambda_matchbox.aws.releases.copies import ReleaseCopies
from lambda_matchbox.aws.releases.source_table import SourceTable
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.image_sync.withdrawal import withdraw
from lambda_matchbox.releases.pointers import RECORD, Pointer, Release, published, rolled_back
from lambda_matchbox.releases.records import ReleaseRecord
from matchboxctl.main import main
from tests.contract.copied_releases import ONE, PATHS, SOURCE, TWO, Door, assert_as_the_app
from tests.rigs.faults import PassThrough, Respond
from tests.rigs.tcp_fault import FaultProxy, fault_proxy

DENIED = Respond(403, "Forbidden", "text/xml", b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>", "PUT")
"""What an operator gets who may not write the copies."""

FILES = ["vmlinuz", "boot/a file+ü%41"]


class Killed(BaseException):
    """The end of the process."""


@contextmanager
def killed_at(door: Door, write: int) -> Iterator[None]:
    """The door's process is killed before that write."""
    writes = count(1)

    def fatal(call: Callable[..., Any]) -> Callable[..., Any]:
        def made(*arguments: Any) -> Any:
            if next(writes) == write:
                raise Killed
            return call(*arguments)

        return made

    dynamodb, s3, files, _ = door.store._clients
    with (
        patch.object(files, "copy", fatal(files.copy)),
        patch.object(s3, "delete", fatal(s3.delete)),
        patch.object(dynamodb, "transact", fatal(dynamodb.transact)),
    ):
        yield


def publish_two(door: Door, old: Pointer) -> None:
    door.store.move(old, published(old, SOURCE, Release(TWO, "two", 200), 200))


def roll_back(door: Door, old: Pointer) -> None:
    publish_two(door, old)
    now = door.store.pointer()
    assert now is not None
    door.store.move(now, rolled_back(now, ONE, 300))


def remove(door: Door, old: Pointer) -> None:
    door.store.move(old, None)


@pytest.mark.parametrize(
    "change", [publish_two, *(pytest.param(each, marks=pytest.mark.nightly) for each in (roll_back, remove))]
)
def test_killed_change_leaves_every_release_that_scripts_name(
    make_door: Callable[..., Door], change: Callable[[Door, Pointer], None]
) -> None:
    """Stable names have files of releases that were current, and the next run of asset_sync completes them."""
    door, other = make_door(), make_door()
    for write in count(1):
        for digest, directory in ((ONE, "one"), (TWO, "two")):
            door.put(directory, {name: digest.encode() for name in FILES})
        door.publish(ONE, "one", {}, 100)
        old = door.store.pointer()
        assert old is not None
        ended = False
        with killed_at(door, write):
            try:
                change(door, old)
                ended = True
            except Killed:
                pass
        pointer = door.store.pointer()
        if pointer is not None:
            named = {(path, digest) for path in PATHS[:2] for digest in (pointer.current, ONE)}
            assert {asked: door.app(*asked) for asked in named} == {asked: door.cloudfront(*asked) for asked in named}
            assert {door.cloudfront(path, None) for path in PATHS[:2]} <= {ONE.encode(), TWO.encode()}
        other.copies.complete()
        assert_as_the_app(door, releases=(None, *(each.digest for each in (pointer.releases if pointer else ()))))
        if ended:
            assert write > 2
            return
        withdraw(other.store)


@pytest.fixture
def proxy(door: Door, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """Before the bucket that commands write to; two releases are published."""
    for name, value in door.stored.stores.environment().items():
        monkeypatch.setenv(name, value)
    document = {"id": "arm", "image": str(SOURCE.image), "assets": SOURCE.assets}
    SourceTable(door.stored.stores.light_clients()).put("arm", json.dumps(document))
    for digest, name in ((ONE, "one"), (TWO, "two")):
        record = ReleaseRecord("arm", "x", digest, 100, "", {}).document()
        door.publish(digest, name, {"vmlinuz": name.encode(), RECORD: record}, 100)
    with fault_proxy(door.stored.stores.buckets.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", proxy.endpoint)
        yield proxy


def test_rollback_that_cannot_copy_fails_and_says_what_repairs_it(
    door: Door, proxy: FaultProxy, capsys: pytest.CaptureFixture[str]
) -> None:
    proxy.switch(DENIED)
    assert 1 == main(["rollback", "arm"])
    said = capsys.readouterr().err
    assert f"arm: {ONE} is current now, but not all copies for CloudFront are made: AccessDenied" in said
    assert "asset_sync's next run makes them, or `matchboxctl fsck --repair` now" in said
    assert (b"one", b"one", b"two") == (
        door.app(PATHS[0], None),
        door.cloudfront(PATHS[0], ONE),
        door.cloudfront(PATHS[0], None),
    )
    proxy.switch(PassThrough())
    assert 0 == main(["fsck", "--repair"])
    lost = "CloudFront does not find 'releases/arm/one/vmlinuz': its copy 'served/assets/talos/arm64/vmlinuz'"
    assert f"lost object: {lost} is missing or that of another file (repaired)" in capsys.readouterr().out
    assert_as_the_app(door)


@pytest.mark.usefixtures("proxy")
def test_interrupted_rollback_says_where_to_look(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same command again would roll back once more."""

    def interrupted(_: ReleaseCopies) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ReleaseCopies, "complete", interrupted)
    assert 130 == main(["rollback", "arm"])
    assert "interrupted: `matchboxctl releases arm` shows what is current now" in capsys.readouterr().err


@pytest.mark.usefixtures("proxy")
def test_withdrawal_without_the_deletion_of_copies_is_one_all_the_same(
    door: Door, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unavailable(_: ReleaseCopies) -> None:
        raise StoreUnavailableError("the bucket is away")

    SourceTable(door.stored.stores.light_clients()).delete("arm")
    monkeypatch.setattr(ReleaseCopies, "complete", unavailable)
    assert 1 == main(["withdraw", "arm"])
    assert "arm: withdrawn, but not all copies for CloudFront are made: the bucket is away" in capsys.readouterr().err
    assert (None, set()) == (door.store.pointer(), door.store.directories().keys())
