"""A sync: what it downloads, publishes and removes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambda_matchbox.image_sync.sync import Outcome
from lambda_matchbox.releases.pointers import RECORD, Pointer, Release, rolled_back
from tests.support.images.layers import Entry, gzipped
from tests.support.images.manifests import Image, image
from tests.support.images.uki import Section, uki
from tests.unit.image_sync.sync_subject import (
    NEW,
    NEW_FILES,
    NOON,
    OLD,
    OLD_FILES,
    PLACE,
    REPOSITORY,
    TAG,
    Subject,
    new_subject,
    sha256,
    talos,
)

pytestmark = pytest.mark.system


@pytest.fixture
def subject() -> Iterator[Subject]:
    with new_subject() as subject:
        yield subject


def synced(subject: Subject, *images: Image) -> None:
    for one in images:
        subject.tag(one)
        subject.sync()


def test_first_sync_publishes_files_checksums_and_record(subject: Subject) -> None:
    one = subject.tag(talos(b"kernel", b"initramfs", version="v1.12.0"))
    outcome = subject.sync()
    assert Outcome("talos-arm64", one.digest, changed=True, held=False) == outcome
    (release,) = subject.pointer.releases
    assert Release(one.digest, release.directory, NOON + 3601) == release
    assert Pointer("talos/arm64", one.digest, False, (release,)) == subject.pointer
    files = dict(subject.files())
    record = json.loads(files.pop("release.json"))
    assert {
        "vmlinuz": b"kernel",
        "vmlinuz.sha256": f"{sha256(b'kernel')}  vmlinuz\n".encode(),
        "initramfs.xz": b"initramfs",
        "initramfs.xz.sha256": f"{sha256(b'initramfs')}  initramfs.xz\n".encode(),
    } == files
    assert {
        "source": "talos-arm64",
        "image": f"{subject.faulty.host}/{REPOSITORY}:{TAG}",
        "digest": one.digest,
        "time": "2023-11-14T23:13:21Z",
        "version": "v1.12.0",
        "files": {
            "vmlinuz": {"size": 6, "sha256": sha256(b"kernel"), "path": f"{PLACE}/vmlinuz"},
            "initramfs.xz": {"size": 9, "sha256": sha256(b"initramfs"), "path": f"{PLACE}/initramfs.xz"},
        },
    } == record
    assert subject.now == subject.releases.checks["talos-arm64"]
    assert {} == subject.releases.leases


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("{} *vmlinuz\n", True),
        ("{}  output/talos/arm64/vmlinuz\n", False),
        ("{}\n", False),
        ("{0}  vmlinuz\n{0}  vmlinuz-copy\n", False),
    ],
)
def test_checksum_of_the_image_is_served_if_it_applies(subject: Subject, line: str, kept: bool) -> None:
    own = line.format(sha256(b"kernel")).encode()
    synced(subject, talos(b"kernel", b"initramfs", Entry(f"{PLACE}/vmlinuz.sha256", own)))
    made = f"{sha256(b'kernel')}  vmlinuz\n".encode()
    assert (own if kept else made) == subject.files()["vmlinuz.sha256"]


def test_renamed_file_gets_a_new_checksum(subject: Subject) -> None:
    own = f"{sha256(b'kernel')}  vmlinuz\n".encode()
    subject.source = subject.source._replace(files={"boot/kernel": (f"{PLACE}/vmlinuz",)})
    synced(subject, talos(b"kernel", b"initramfs", Entry(f"{PLACE}/vmlinuz.sha256", own)))
    assert f"{sha256(b'kernel')}  kernel\n".encode() == subject.files()["boot/kernel.sha256"]


def test_unchanged_digest_needs_no_download(subject: Subject) -> None:
    synced(subject, OLD)
    before = subject.pointer
    subject.faulty.requests.clear()
    assert Outcome("talos-arm64", OLD.digest, changed=False, held=False) == subject.sync()
    assert [] == [target for target in subject.faulty.targets("registry") if "/blobs/" in target]
    assert [] == subject.faulty.at("storage")
    assert [] == subject.store.named("put")
    assert before == subject.pointer
    assert subject.now == subject.releases.checks["talos-arm64"]


def test_changed_files_are_published(subject: Subject) -> None:
    synced(subject, OLD)
    before = subject.pointer.releases[0].directory
    subject.source = subject.source._replace(files={"kernel": (f"{PLACE}/vmlinuz",)})
    assert subject.sync().changed
    assert {"kernel": b"old kernel"} == subject.taken()
    assert before != subject.pointer.releases[0].directory
    assert set() == subject.leftovers


def test_changed_assets_need_no_download(subject: Subject) -> None:
    synced(subject, OLD)
    subject.source = subject.source._replace(assets="elsewhere")
    assert subject.sync().changed
    assert ("elsewhere", []) == (subject.pointer.assets, subject.store.named("put"))


def test_identical_files_are_copied(subject: Subject) -> None:
    synced(subject, OLD)
    subject.source = subject.source._replace(
        files={"vmlinuz": (f"{PLACE}/vmlinuz",), "again": (f"{PLACE}/vmlinuz",), "other": (f"{PLACE}/initramfs.xz",)}
    )
    synced(subject, talos(b"new kernel", OLD_FILES["initramfs.xz"]))
    assert {"vmlinuz": b"new kernel", "again": b"new kernel", "other": b"old initramfs"} == subject.taken()
    puts = [name for name in subject.store.named("put") if not name.endswith((".sha256", ".json"))]
    assert (["vmlinuz"], ["again", "other"]) == (puts, sorted(subject.store.named("copy")))


def test_file_that_cannot_be_copied_is_stored_again(subject: Subject) -> None:
    synced(subject, OLD)
    del subject.releases.stored["talos-arm64", subject.pointer.releases[0].directory]["initramfs.xz"]
    synced(subject, talos(b"new kernel", OLD_FILES["initramfs.xz"]))
    assert {"vmlinuz": b"new kernel", "initramfs.xz": b"old initramfs"} == subject.taken()


def test_moved_tag_moves_the_pointer(subject: Subject) -> None:
    synced(subject, OLD, NEW)
    assert (NEW.digest, NEW_FILES) == (subject.pointer.current, subject.taken())
    assert OLD_FILES == subject.taken(OLD.digest)
    newer, older = subject.pointer.releases
    assert (NEW.digest, None) == (newer.digest, newer.left)
    assert (OLD.digest, subject.now) == (older.digest, older.left)


def test_kept_release_needs_no_download(subject: Subject) -> None:
    synced(subject, OLD, NEW)
    subject.tag(OLD)
    subject.faulty.requests.clear()
    assert Outcome("talos-arm64", OLD.digest, changed=True, held=False) == subject.sync()
    assert ([], []) == (subject.faulty.at("storage"), subject.store.named("put"))
    assert (OLD.digest, OLD_FILES) == (subject.pointer.current, subject.taken())


def test_held_source_is_not_updated(subject: Subject) -> None:
    synced(subject, OLD, NEW)
    subject.releases.served["talos-arm64"] = held = rolled_back(subject.pointer, None, subject.now)
    subject.tag(talos(b"the newest kernel"))
    subject.faulty.requests.clear()
    assert Outcome("talos-arm64", OLD.digest, changed=False, held=True) == subject.sync()
    assert (held, []) == (subject.pointer, subject.faulty.at("storage"))
    subject.releases.served["talos-arm64"] = held._replace(held=False)
    assert subject.sync().changed
    assert b"the newest kernel" == subject.taken()["vmlinuz"]


def test_rollback_during_a_sync_wins(subject: Subject) -> None:
    synced(subject, OLD, NEW)
    held = rolled_back(subject.pointer, None, subject.now)
    subject.store.before["put"] = lambda: subject.releases.served.update({"talos-arm64": held})
    subject.tag(talos(b"the newest kernel"))
    assert Outcome("talos-arm64", OLD.digest, changed=False, held=True) == subject.sync()
    subject.store.before.clear()
    assert Outcome("talos-arm64", OLD.digest, changed=False, held=True) == subject.sync()
    assert (held, set()) == (subject.pointer, subject.leftovers)


def test_pointer_moved_during_a_sync_is_read_again(subject: Subject) -> None:
    synced(subject, OLD, NEW)
    other = subject.pointer._replace(releases=subject.pointer.releases[:1])
    subject.store.before["move"] = lambda: subject.releases.served.update({"talos-arm64": other})
    newest = subject.tag(talos(b"the newest kernel"))

    def only_once() -> None:
        subject.releases.served["talos-arm64"] = other
        del subject.store.before["move"]

    subject.store.before["move"] = only_once
    assert subject.sync().changed
    assert [newest.digest, NEW.digest] == [release.digest for release in subject.pointer.releases]


def test_old_releases_are_removed_after_an_hour(subject: Subject) -> None:
    subject.source = subject.source._replace(keep=1)
    synced(subject, OLD, NEW)
    assert [NEW.digest, OLD.digest] == [release.digest for release in subject.pointer.releases]
    subject.sync()
    assert [NEW.digest] == [release.digest for release in subject.pointer.releases]
    assert set() == subject.leftovers


def test_leftovers_of_a_killed_sync_are_removed(subject: Subject, tmp_path: Path) -> None:
    (tmp_path / "half").write_bytes(b"half")
    store = subject.releases.stored
    store["talos-arm64", "0" * 64] = {"vmlinuz": b"half"}
    store["another", "0" * 64] = {"vmlinuz": b"another's"}
    subject.tag(OLD)
    assert subject.sync(scratch=tmp_path).changed
    assert {("talos-arm64", subject.pointer.releases[0].directory), ("another", "0" * 64)} == store.keys()
    assert not tmp_path.exists()


@pytest.mark.parametrize(
    ("labels", "annotations", "version"),
    [
        ({"org.opencontainers.image.version": "v1"}, {"org.opencontainers.image.version": "v2"}, "v1"),
        ({}, {"org.opencontainers.image.version": "v2"}, "v2"),
        # As the images of Talos have it, which may have that of their base under the usual name.
        ({"alpha.talos.dev/version": "v1.13.0", "org.opencontainers.image.version": "3.22"}, {}, "v1.13.0"),
        ({}, {}, ""),
    ],
)
def test_version_is_from_label_or_annotation(
    subject: Subject, labels: dict[str, str], annotations: dict[str, str], version: str
) -> None:
    files = gzipped(Entry(f"{PLACE}/vmlinuz", b"k"), Entry(f"{PLACE}/initramfs.xz", b"i"))
    synced(subject, image([files], labels=labels, annotations=annotations))
    assert version == json.loads(subject.files()["release.json"])["version"]


def test_unified_kernel_image_and_its_parts_are_published(subject: Subject) -> None:
    efi = uki([Section(".linux", b"kernel"), Section(".initrd", b"initramfs"), Section(".cmdline", b"quiet")])
    synced(subject, image([gzipped(Entry("usr/install/arm64/vmlinuz.efi", efi))]))
    assert {
        "vmlinuz.efi": efi,
        "vmlinuz": b"kernel",
        "initramfs.xz": b"initramfs",
        "cmdline": b"quiet",
    } == subject.taken()
    assert {"vmlinuz": b"kernel"}.items() <= subject.files().items()


def test_named_files_are_not_replaced_by_parts(subject: Subject) -> None:
    efi = uki([Section(".linux", b"kernel"), Section(".initrd", b"initramfs"), Section(".cmdline", b"quiet")])
    subject.source = subject.source._replace(files={"a/x.efi": ("boot/x.efi",), "a/cmdline": ("boot/cmdline",)})
    synced(subject, image([gzipped(Entry("boot/x.efi", efi), Entry("boot/cmdline", b"own"))]))
    assert {"a/x.efi": efi, "a/vmlinuz": b"kernel", "a/initramfs.xz": b"initramfs", "a/cmdline": b"own"} == (
        subject.taken()
    )


def test_incomplete_release_is_published_again(subject: Subject) -> None:
    synced(subject, OLD)
    for damage in ({}, {"vmlinuz": b"old"}):
        directory = subject.pointer.releases[0].directory
        subject.releases.stored["talos-arm64", directory] = {**subject.files(), **damage} if damage else {}
        assert subject.sync().changed
        assert OLD_FILES == subject.taken()


@pytest.mark.parametrize("version", ["1.0 $(touch /tmp/x)", "1\nKERNEL_DIGEST=other", "\x1b[31m", "-v", "a" * 129])
def test_invalid_version_is_ignored(version: str) -> None:
    """It is printed as a shell variable."""
    with new_subject() as subject:
        subject.tag(talos(b"kernel", version=version))
        subject.sync()
        assert "" == json.loads(subject.files()[RECORD])["version"]
