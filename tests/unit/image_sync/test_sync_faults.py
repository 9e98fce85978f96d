"""A failing registry: the sync recovers, or the previous release stays and the error says where it failed."""

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import NamedTuple

import pytest

from lambda_matchbox.image_sync.sync import SyncError
from lambda_matchbox.oci.distribution.docker_config import no_logins
from lambda_matchbox.oci.distribution.registry import Registry
from lambda_matchbox.oci.image_reference import Platform
from tests.support.faulty_registry import Fault
from tests.support.images.layers import Entry, Layer, gzipped
from tests.support.images.manifests import Image, digest_of, image, index
from tests.support.images.uki import Section, uki
from tests.unit.image_sync.sync_subject import (
    NEW,
    NEW_FILES,
    OLD,
    PLACE,
    REPOSITORY,
    TAG,
    Subject,
    completes,
    fails,
    moved_tag,
    sha256,
    talos,
)
from tests.unit.oci.distribution.fast_retries import FAST_RETRIES

pytestmark = pytest.mark.system

LAYER, CONFIG = NEW.document["layers"][0]["digest"], NEW.document["config"]["digest"]
FOR_EVER = 1000


@pytest.fixture
def subject() -> Iterator[Subject]:
    """A source whose tag was synced once and has moved."""
    with moved_tag() as subject:
        yield subject


def assert_line(subject: Subject, line: str, digest: str, step: str, why: str) -> None:
    """One line with the source, the image, its digest where it was known, the step, and the reason."""
    named = f" ({digest})" if digest else ""
    reference = f"{subject.faulty.host}/{REPOSITORY}:{TAG}"
    assert line.startswith(f"talos-arm64: {reference}{named}: cannot {step}: ")
    assert re.search(why, line)
    assert line.isprintable()


RECOVERED: Mapping[str, list[Fault]] = {
    "throttled, with Retry-After": [
        Fault(at, status=429, headers={"Retry-After": "0"}) for at in ("manifest", "blob", "storage", "token")
    ],
    "throttled, without": [Fault(at, status=429) for at in ("manifest", "blob", "storage", "token")],
    "failing": [Fault(at, status=500) for at in ("manifest", "blob", "storage", "token")],
    "cut in the head": [Fault(at, cut_after=0) for at in ("manifest", "blob", "storage", "token")],
    "cut in a blob": [Fault("storage", times=2, cut_after=100)],
    "silent": [Fault("storage", silent=True)],
    "expired addresses": [Fault("storage", times=2, status=403)],
    "dripping for some time": [Fault("manifest", pause=0.0001), Fault("storage", pause=0.00001)],
}


@pytest.mark.parametrize("name", RECOVERED)
def test_transient_failure_is_retried(subject: Subject, name: str) -> None:
    subject.faulty.faults += [
        Fault(one.at, one.times, one.status, one.headers, cut_after=one.cut_after, pause=one.pause, silent=one.silent)
        for one in RECOVERED[name]
    ]
    assert subject.sync().changed
    assert NEW_FILES == subject.taken()
    assert [0] * len(subject.faulty.faults) == [fault.times for fault in subject.faulty.faults]


def test_broken_download_is_resumed_at_a_new_address(subject: Subject) -> None:
    subject.faulty.address_uses = 1
    subject.faulty.faults.append(Fault("storage", times=2, cut_after=100, of=LAYER))
    assert subject.sync().changed
    assert NEW_FILES == subject.taken()
    ranges = [one.headers.get("range") for one in subject.faulty.at("storage") if LAYER in one.target]
    assert [None, "bytes=100-", "bytes=200-"] == ranges


class Failing(NamedTuple):
    """A fault, the step at which the sync fails (and whether the digest is known by then), and what the line says."""

    fault: Fault
    step: str
    why: str
    digest: str = NEW.digest


RESOLVE, MANIFEST = "resolve the image", "read the manifest"
LAYERS = "extract the files"
GIVEN_UP = r"\(given up after 3 attempts\)$"

FAILING = {
    "throttled for ever": Failing(
        Fault("manifest", FOR_EVER, 429, {"Retry-After": "0"}), RESOLVE, f"answers 429 {GIVEN_UP}", ""
    ),
    "failing for ever": Failing(Fault("manifest", FOR_EVER, 500), RESOLVE, f"answers 500 {GIVEN_UP}", ""),
    "failing blobs": Failing(Fault("blob", FOR_EVER, 503), MANIFEST, f"config {CONFIG}: .*answers 503 {GIVEN_UP}"),
    "no tokens": Failing(Fault("token", FOR_EVER, 500), RESOLVE, f"token from .*answers 500 {GIVEN_UP}", ""),
    "no such tag": Failing(Fault("manifest", FOR_EVER, 404), RESOLVE, "404", ""),
    "refused": Failing(Fault("token", FOR_EVER, 403), RESOLVE, "403", ""),
    "a lying digest": Failing(
        Fault("manifest", FOR_EVER, body=b"{}"), RESOLVE, f"announces '{NEW.digest}', but sends sha256:44136fa3", ""
    ),
    "a manifest that is none": Failing(
        Fault("manifest", FOR_EVER, body=b"{}", headers={"Docker-Content-Digest": digest_of(b"{}")}),
        RESOLVE,
        "manifest",
        "",
    ),
    "a wrong config": Failing(Fault("storage", body=b"x" * 200), MANIFEST, f"config {CONFIG}: "),
    "storage that is away": Failing(
        Fault("storage", FOR_EVER, cut_after=0), MANIFEST, f"breaks off: the connection was closed after .*{GIVEN_UP}"
    ),
    "expired for ever": Failing(Fault("storage", FOR_EVER, 403), MANIFEST, "403"),
    "dripping for ever": Failing(Fault("storage", FOR_EVER, pause=0.2), MANIFEST, GIVEN_UP),
    "a dripping head": Failing(Fault("manifest", FOR_EVER, head_pause=0.05), RESOLVE, GIVEN_UP, ""),
}


def fails_soon(subject: Subject, fault: Fault) -> str:
    """The line of a sync that fails; where the registry drips for ever it is waited for a moment only."""
    if not (fault.pause or fault.head_pause):
        return fails(subject)
    with closing(Registry(no_logins, retry_policy=FAST_RETRIES._replace(read_timeout=0.3))) as short_timeout:
        return fails(subject, short_timeout)


@pytest.mark.parametrize("name", FAILING)
def test_failure_keeps_the_previous_release(subject: Subject, name: str) -> None:
    failing = FAILING[name]
    subject.faulty.faults.append(failing.fault)
    assert_line(subject, fails_soon(subject, failing.fault), failing.digest, failing.step, failing.why)
    failing.fault.times = FOR_EVER
    completes(subject)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault("storage", body=b"x" * len(NEW.blobs[LAYER])), f"blob {LAYER}: .*digest|gzip|tar"),
        (Fault("storage", body=NEW.blobs[LAYER][:-1] + b"x"), "the bytes received have the digest|gzip"),
        (Fault("storage", body=NEW.blobs[LAYER] + b"x"), "bytes, but the manifest says"),
        (Fault("storage", FOR_EVER, cut_after=0), GIVEN_UP),
        (Fault("storage", FOR_EVER, pause=0.2), GIVEN_UP),
    ],
)
def test_failure_in_a_layer_names_the_blob(subject: Subject, fault: Fault, why: str) -> None:
    subject.faulty.faults.append(replace(fault, of=LAYER))
    line = fails_soon(subject, fault)
    assert_line(subject, line, NEW.digest, LAYERS, why)
    assert LAYER in line
    completes(subject)


def test_missing_blob_keeps_the_previous_release(subject: Subject) -> None:
    subject.faulty.lose_blob(LAYER)
    assert_line(subject, fails(subject), NEW.digest, LAYERS, f"blob {LAYER}: .*404")
    subject.tag(NEW)
    completes(subject)


def test_unavailable_registry_keeps_the_previous_release(subject: Subject) -> None:
    there = subject.source
    subject.source = there._replace(image=there.image._replace(registry="127.0.0.1:1"))
    line = fails(subject)
    assert line.startswith(f"talos-arm64: 127.0.0.1:1/{REPOSITORY}:{TAG}: cannot resolve the image: ")
    subject.source = there
    completes(subject)


CHECKSUM = f"{sha256(b'another kernel')}  vmlinuz\n".encode()
EFI = uki([Section(".linux", b"kernel"), Section(".initrd", b"initramfs")])
BAD_IMAGES: Mapping[str, tuple[Image, str, str]] = {
    "damaged gzip": (
        image([Layer(gzipped(Entry("a", b"a" * 5000))[0][:-20], "application/vnd.oci.image.layer.v1.tar+gzip")]),
        LAYERS,
        "truncated gzip|damaged",
    ),
    "no archive": (
        image([Layer(b"text" * 500, "application/vnd.oci.image.layer.v1.tar")]),
        LAYERS,
        "not a tar archive",
    ),
    "another checksum": (
        talos(b"kernel", b"initramfs", Entry(f"{PLACE}/vmlinuz.sha256", CHECKSUM)),
        LAYERS,
        f"'{PLACE}/vmlinuz' has the SHA-256 {sha256(b'kernel')}, but '{PLACE}/vmlinuz.sha256' in the image says",
    ),
    "no initramfs": (image([gzipped(Entry(f"{PLACE}/vmlinuz", b"kernel"))]), LAYERS, "lacks files: .*initramfs.xz"),
    "no layers": (image([]), LAYERS, "lacks files: vmlinuz"),
    "a unified kernel image that is cut": (
        image([gzipped(Entry("usr/install/arm64/vmlinuz.efi", EFI[:-1200]))]),
        LAYERS,
        "vmlinuz.efi",
    ),
    "other platforms": (index([(OLD, "linux/amd64")]), RESOLVE, "no image for linux/arm64; available: linux/amd64"),
}


@pytest.mark.parametrize("name", BAD_IMAGES)
def test_invalid_image_keeps_the_previous_release(subject: Subject, name: str) -> None:
    bad, step, why = BAD_IMAGES[name]
    subject.tag(bad)
    assert_line(subject, fails(subject), "" if step == RESOLVE else bad.digest, step, why)
    subject.tag(NEW)
    completes(subject)


def test_failed_first_sync_publishes_nothing(subject: Subject) -> None:
    """The operator's own files stay."""
    subject.releases.served.clear()
    subject.faulty.lose_blob(LAYER)
    with pytest.raises(SyncError):
        subject.sync()
    assert {} == subject.releases.served
    subject.tag(NEW)
    completes(subject)


def test_image_without_an_index_is_used_for_any_platform(subject: Subject) -> None:
    subject.source = subject.source._replace(platform=Platform("linux", "amd64"))
    assert_line(subject, fails(subject), NEW.digest, LAYERS, "lacks files: .*'output/talos/amd64/vmlinuz'")


def test_time_limit_keeps_the_previous_release() -> None:
    with moved_tag() as subject:
        before = subject.pointer
        with pytest.raises(SyncError, match=r"cannot extract the files: .* took longer than 0 min"):
            subject.sync(time_limit=0)
        assert before == subject.pointer
        assert subject.sync().changed
