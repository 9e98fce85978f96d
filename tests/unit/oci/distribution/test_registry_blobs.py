"""A blob is read completely and verified, or fails, however its download breaks."""

import hashlib
import random
import time
from contextlib import closing
from types import SimpleNamespace

import pytest

from lambda_matchbox.oci.descriptors import Descriptor
from lambda_matchbox.oci.distribution import paced_body
from lambda_matchbox.oci.distribution.blob_stream import PROGRESS
from lambda_matchbox.oci.distribution.docker_config import no_logins
from lambda_matchbox.oci.distribution.registry import Registry
from lambda_matchbox.oci.errors import DigestError, RegistryError
from lambda_matchbox.oci.image_reference import ImageReference
from tests.support.faulty_registry import Fault, FaultyRegistry
from tests.unit.oci.distribution.fast_retries import FAST_RETRIES

SHORT_TIMEOUT = FAST_RETRIES._replace(read_timeout=0.2)
SHORT_TIMEOUT_OFTEN = SHORT_TIMEOUT._replace(attempts=6)
BODY = random.Random(1).randbytes(300_000)
WRONG = bytes(len(BODY))


def held(faulty: FaultyRegistry, body: bytes = BODY) -> tuple[ImageReference, Descriptor]:
    """A blob that the registry holds, in a repository that needs no manifest for it."""
    digest = faulty.add_blob(body)
    return ImageReference(faulty.host, "team/boot", "stable", ""), Descriptor("a/b", digest, len(body))


def read_all(registry: Registry, reference: ImageReference, descriptor: Descriptor, size: int = 65536) -> bytes:
    with registry.open_blob(reference, descriptor) as blob:
        return b"".join(iter(lambda: blob.read(size), b""))


def ranges(faulty: FaultyRegistry, server: str = "storage") -> list[str]:
    return [request.headers.get("range", "") for request in faulty.at(server)]


@pytest.mark.parametrize("redirects", [False, True])
@pytest.mark.parametrize("chunked", [False, True])
def test_blob_is_read(faulty: FaultyRegistry, registry: Registry, redirects: bool, chunked: bool) -> None:
    """From the registry or a storage, with a length or without."""
    faulty.redirects, faulty.chunked = redirects, chunked
    assert BODY == read_all(registry, *held(faulty))


def test_pieces_have_at_most_the_requested_size(faulty: FaultyRegistry, registry: Registry) -> None:
    """And at most 1 MiB."""
    body = BODY * 10
    with registry.open_blob(*held(faulty, body)) as blob:
        assert body[:1] == blob.read(1)
        rest = body[1:]
        while rest:
            piece = blob.read(1 << 30)
            assert 0 < len(piece) <= 1 << 20
            assert rest.startswith(piece)
            rest = rest[len(piece) :]
        assert [b"", b""] == [blob.read(1), blob.read(1)]


def test_empty_blob_needs_no_request(faulty: FaultyRegistry, registry: Registry) -> None:
    reference, descriptor = held(faulty, b"")
    assert b"" == read_all(registry, reference, descriptor)
    with pytest.raises(DigestError):
        read_all(registry, reference, descriptor._replace(digest=f"sha256:{'0' * 64}"))
    assert [] == faulty.requests


def test_open_sends_no_request(faulty: FaultyRegistry, registry: Registry) -> None:
    with registry.open_blob(*held(faulty)):
        pass
    assert [] == faulty.requests


def test_blob_may_be_closed_early(faulty: FaultyRegistry, registry: Registry) -> None:
    reference, descriptor = held(faulty)
    with registry.open_blob(reference, descriptor) as blob:
        assert BODY[:1] == blob.read(1)
    assert BODY == read_all(registry, reference, descriptor)


@pytest.mark.parametrize("at", ["blob", "storage"])
def test_broken_download_is_resumed(faulty: FaultyRegistry, registry: Registry, at: str) -> None:
    """Through the registry."""
    faulty.redirects = at == "storage"
    faulty.faults.append(Fault(at, cut_after=100_000))
    assert BODY == read_all(registry, *held(faulty))
    assert ["", "bytes=100000-"] == ranges(faulty, "registry")


def test_chunked_download_that_ends_early_is_resumed(faulty: FaultyRegistry, registry: Registry) -> None:
    faulty.chunked = True
    faulty.faults.append(Fault("storage", cut_after=100_000))
    assert BODY == read_all(registry, *held(faulty))


def test_server_without_ranges_is_skipped_to_the_offset(faulty: FaultyRegistry, registry: Registry) -> None:
    faulty.ranges = False
    faulty.faults.append(Fault("storage", cut_after=100_000))
    assert BODY == read_all(registry, *held(faulty))


@pytest.mark.parametrize(
    "refusal",
    [
        Fault("storage", status=416),
        Fault("storage", status=206, headers={"Content-Range": "bytes 250000-299999/300000"}, body=bytes(50_000)),
        Fault("storage", status=206, body=bytes(200_000)),
    ],
)
def test_wrong_range_is_requested_without_one(faulty: FaultyRegistry, registry: Registry, refusal: Fault) -> None:
    faulty.faults += [Fault("storage", cut_after=100_000), Fault(**vars(refusal))]
    assert BODY == read_all(registry, *held(faulty))
    assert ["", "bytes=100000-", ""] == ranges(faulty)


def test_earlier_range_is_skipped_to_the_offset(faulty: FaultyRegistry, registry: Registry) -> None:
    earlier = {"Content-Range": "bytes 90000-299999/300000"}
    faulty.faults += [
        Fault("storage", cut_after=100_000),
        Fault("storage", status=206, headers=earlier, body=BODY[90_000:]),
    ]
    assert BODY == read_all(registry, *held(faulty))


def test_attempts_are_limited(faulty: FaultyRegistry, registry: Registry) -> None:
    faulty.faults.append(Fault("storage", times=100, cut_after=1000))
    reference, descriptor = held(faulty)
    with pytest.raises(RegistryError, match=r"breaks off.*\(given up after 3 attempts\)$") as caught:
        read_all(registry, reference, descriptor)
    assert str(caught.value).startswith(f"{reference}: blob {descriptor.digest}: ")
    assert ["", "bytes=1000-", "bytes=2000-"] == ranges(faulty)


def test_progress_resets_the_attempts(faulty: FaultyRegistry, registry: Registry) -> None:
    body = bytes(5 * PROGRESS)
    faulty.faults.append(Fault("storage", times=4, cut_after=PROGRESS))
    assert body == read_all(registry, *held(faulty, body), size=1 << 20)


def test_wrong_bytes_are_an_error_before_the_last_piece(faulty: FaultyRegistry, registry: Registry) -> None:
    faulty.faults.append(Fault("storage", body=WRONG))
    reference, descriptor = held(faulty)
    got: list[bytes] = []
    with (
        registry.open_blob(reference, descriptor) as blob,
        pytest.raises(DigestError, match=hashlib.sha256(WRONG).hexdigest()) as caught,
    ):
        got.extend(iter(lambda: blob.read(65536), b""))
    assert sum(map(len, got)) < len(BODY)
    assert str(caught.value).startswith(f"{reference}: blob {descriptor.digest}: ")


@pytest.mark.parametrize("body", [BODY + b"x", BODY[:-1]])
def test_wrong_length_is_an_error_before_the_first_piece(
    faulty: FaultyRegistry, registry: Registry, body: bytes
) -> None:
    faulty.faults.append(Fault("storage", body=body))
    with pytest.raises(DigestError, match=f"has {len(body)} bytes, but the manifest says 300000"):
        read_all(registry, *held(faulty))
    assert 1 == len(faulty.at("storage"))


def test_bytes_beyond_the_size_are_an_error(faulty: FaultyRegistry, registry: Registry) -> None:
    faulty.chunked = True
    faulty.faults.append(Fault("storage", body=BODY + b"x"))
    with pytest.raises(DigestError, match="more than the 300000 bytes announced"):
        read_all(registry, *held(faulty))


def test_changed_length_on_resumption_is_an_error(faulty: FaultyRegistry, registry: Registry) -> None:
    longer = {"Content-Range": "bytes 100000-300000/300001"}
    faulty.faults += [Fault("storage", cut_after=100_000), Fault("storage", headers=longer, body=BODY[100_000:] + b"x")]
    with pytest.raises(DigestError, match="has 300001 bytes"):
        read_all(registry, *held(faulty))


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_expired_address_is_requested_again(faulty: FaultyRegistry, registry: Registry, status: int) -> None:
    faulty.faults.append(Fault("storage", status=status))
    assert BODY == read_all(registry, *held(faulty))
    assert 2 == len(faulty.at("registry"))


def test_resumption_uses_a_new_address(faulty: FaultyRegistry, registry: Registry) -> None:
    faulty.address_uses = 1
    faulty.faults.append(Fault("storage", cut_after=100_000))
    assert BODY == read_all(registry, *held(faulty))
    assert [200, 206] == [request.status for request in faulty.at("storage")]


def test_attempts_at_new_addresses_are_limited(faulty: FaultyRegistry, registry: Registry) -> None:
    faulty.address_uses = 0
    with pytest.raises(RegistryError, match=r"the storage 127.0.0.1:\d+ answers 403 \(given up after 3 attempts\)"):
        read_all(registry, *held(faulty))
    assert 3 == len(faulty.at("storage"))


def test_missing_blob_is_final(faulty: FaultyRegistry, registry: Registry) -> None:
    reference, descriptor = held(faulty)
    faulty.lose_blob(descriptor.digest)
    with pytest.raises(RegistryError) as caught:
        read_all(registry, reference, descriptor)
    expected = f"{reference}: blob {descriptor.digest}: {faulty.host} answers 404: no such blob"
    assert expected == str(caught.value)
    assert 1 == len(faulty.requests)


def test_blob_removed_during_the_download_is_an_error(faulty: FaultyRegistry, registry: Registry) -> None:
    reference, descriptor = held(faulty)
    faulty.faults.append(Fault("storage", cut_after=100_000))
    with registry.open_blob(reference, descriptor) as blob:
        assert BODY[:1] == blob.read(1)
        faulty.lose_blob(descriptor.digest)
        with pytest.raises(RegistryError, match="no such blob"):
            list(iter(lambda: blob.read(65536), b""))


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("spoilt", [{"pause": 0.05}, {"head_pause": 0.05}, {"silent": True}])
def test_stalled_download_is_resumed(faulty: FaultyRegistry, spoilt: dict[str, float], chunked: bool) -> None:
    faulty.chunked = chunked
    faulty.faults.append(Fault("storage", **spoilt))  # type: ignore[arg-type]
    with closing(Registry(no_logins, retry_policy=SHORT_TIMEOUT_OFTEN)) as registry:
        assert BODY == read_all(registry, *held(faulty))
    assert len(faulty.at("storage")) >= 2


def test_attempts_at_stalled_downloads_are_limited(faulty: FaultyRegistry) -> None:
    faulty.faults.append(Fault("storage", times=100, pause=0.05))
    with (
        closing(Registry(no_logins, retry_policy=SHORT_TIMEOUT)) as registry,
        pytest.raises(RegistryError, match="given up after 3 attempts"),
    ):
        read_all(registry, *held(faulty))


def test_slow_reader_does_not_stall(faulty: FaultyRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    faulty.redirects = False
    clock = SimpleNamespace(ahead=0)
    monkeypatch.setattr(paced_body, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + clock.ahead))
    with (
        closing(Registry(no_logins, retry_policy=FAST_RETRIES)) as registry,
        registry.open_blob(*held(faulty)) as blob,
    ):
        got = []
        for clock.ahead in range(0, 3000, 1000):
            got.append(blob.read(10))
        got += iter(lambda: blob.read(65536), b"")
    assert BODY == b"".join(got)
    assert 1 == len(faulty.requests)
