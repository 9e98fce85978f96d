"""A failing table, bucket or disk: one release stays whole, and the next sync completes."""

import errno
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.image_sync.sync import SyncError
from tests.unit.image_sync.sync_subject import NEW, NEW_FILES, OLD_FILES, Subject, completes, fails, moved_tag, talos

pytestmark = pytest.mark.system

AWAY = StoreUnavailableError("the table does not answer")
FULL = OSError(errno.ENOSPC, "No space left on device")
STEPS = {
    "directories": "begin: ",
    "lease": "begin: ",
    "pointer": "",
    "sizes": "read the records",
    "read": "read the records",
    "put": "store '",
    "move": "make the release current: ",
}


@pytest.fixture
def subject() -> Iterator[Subject]:
    """A source whose tag was synced once and has moved."""
    with moved_tag() as subject:
        yield subject


def failing_at(error: Exception, number: int) -> Callable[[], None]:
    """What raises the error when it is called for the numberth time (the first is 0), and from then on."""
    calls = iter(range(number))

    def happens() -> None:
        if next(calls, None) is None:
            raise error

    return happens


@pytest.mark.parametrize("error", [AWAY, FULL])
@pytest.mark.parametrize(
    ("verb", "number"),
    [
        ("directories", 0),
        ("lease", 0),
        ("pointer", 0),
        ("pointer", 1),
        ("sizes", 0),
        ("read", 0),
        *(("put", number) for number in range(5)),
        ("move", 0),
    ],
)
def test_failure_before_the_move_keeps_the_old_release(
    subject: Subject, verb: str, number: int, error: Exception
) -> None:
    subject.store.before[verb] = failing_at(error, number)
    line = fails(subject)
    assert line.startswith(f"talos-arm64: {subject.source.image}")
    assert f": cannot {STEPS[verb]}" in line
    assert line.endswith(f": {error}")
    subject.store.before.clear()
    completes(subject)


@pytest.mark.parametrize("error", [AWAY, FULL])
@pytest.mark.parametrize("verb", ["discard", "note_checked"])
def test_failure_after_the_move_serves_the_new_release(subject: Subject, verb: str, error: Exception) -> None:
    subject.releases.stored["talos-arm64", "0" * 64] = {"vmlinuz": b"half"}
    subject.store.before[verb] = failing_at(error, 0)
    with pytest.raises(SyncError, match=f"cannot remove old releases: .*{error.args[-1]}"):
        subject.sync()
    assert (NEW.digest, NEW_FILES) == (subject.pointer.current, subject.taken())
    subject.store.before.clear()
    assert not subject.sync().changed
    assert set() == subject.leftovers


@pytest.mark.parametrize("error", [AWAY, FULL])
def test_failure_of_a_copy_names_the_file(subject: Subject, error: Exception) -> None:
    subject.tag(talos(NEW_FILES["vmlinuz"], OLD_FILES["initramfs.xz"]))
    subject.store.before["copy"] = failing_at(error, 0)
    assert "cannot store 'initramfs.xz': " in fails(subject)
    subject.store.before.clear()
    assert subject.sync().changed


def test_temporary_directory_that_cannot_be_made(subject: Subject, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    before = subject.pointer
    with pytest.raises(SyncError, match=r"cannot make a temporary directory: .*Not a directory"):
        subject.sync(scratch=tmp_path / "file" / "scratch")
    assert before == subject.pointer
    completes(subject)
