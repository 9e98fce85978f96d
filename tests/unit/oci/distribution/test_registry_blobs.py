"""A blob comes whole, in order and verified, or not at all, however its download breaks."""

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
from tests.support.registry_faults import Fault, FaultyRegistry
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
    return [asked.headers.get("range", "") for asked in faulty.at(server)]


@pytest.mark.parametrize("redirects", [False, True])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_blob(faulty: FaultyRegistry, registry: Registry, redirects: bool, chunked: bool) -> None:
    """A blob comes from the registry or from where it leads, with a length or without."""
    faulty.redirects, faulty.chunked = redirects, chunked
    assert BODY == read_all(registry, *held(faulty))


def test_pieces_have_the_size_asked_for(faulty: FaultyRegistry, registry: Registry) -> None:
    """A read gives some bytes, never more than asked for nor more than 1 MiB, until it gives none again and again."""
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


def test_an_empty_blob(faulty: FaultyRegistry, registry: Registry) -> None:
    """A blob of no bytes needs no request, and has the digest of no bytes."""
    reference, descriptor = held(faulty, b"")
    assert b"" == read_all(registry, reference, descriptor)
    with pytest.raises(DigestError):
        read_all(registry, reference, descriptor._replace(digest=f"sha256:{'0' * 64}"))
    assert [] == faulty.asked


def test_nothing_is_asked_before_the_first_read(faulty: FaultyRegistry, registry: Registry) -> None:
    """A blob that is opened and not read costs nothing."""
    with registry.open_blob(*held(faulty)):
        pass
    assert [] == faulty.asked


def test_a_blob_may_be_left(faulty: FaultyRegistry, registry: Registry) -> None:
    """Who has what he wants may leave the rest, and the registry is asked again as before."""
    reference, descriptor = held(faulty)
    with registry.open_blob(reference, descriptor) as blob:
        assert BODY[:1] == blob.read(1)
    assert BODY == read_all(registry, reference, descriptor)


@pytest.mark.parametrize("at", ["blob", "storage"])
def test_a_cut_download_goes_on(faulty: FaultyRegistry, registry: Registry, at: str) -> None:
    """A broken download is resumed at the byte where it broke, by way of the registry."""
    faulty.redirects = at == "storage"
    faulty.faults.append(Fault(at, cut_after=100_000))
    assert BODY == read_all(registry, *held(faulty))
    assert ["", "bytes=100000-"] == ranges(faulty, "registry")


def test_a_chunked_download_goes_on(faulty: FaultyRegistry, registry: Registry) -> None:
    """A body without a length that ends early is no end."""
    faulty.chunked = True
    faulty.faults.append(Fault("storage", cut_after=100_000))
    assert BODY == read_all(registry, *held(faulty))


def test_a_server_without_ranges(faulty: FaultyRegistry, registry: Registry) -> None:
    """What was read already is skipped where a server sends everything anew."""
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
def test_a_wrong_range(faulty: FaultyRegistry, registry: Registry, refusal: Fault) -> None:
    """A server that answers with another part than the one asked for is asked for everything."""
    faulty.faults += [Fault("storage", cut_after=100_000), Fault(**vars(refusal))]
    assert BODY == read_all(registry, *held(faulty))
    assert ["", "bytes=100000-", ""] == ranges(faulty)


def test_an_earlier_range(faulty: FaultyRegistry, registry: Registry) -> None:
    """A server that begins before the byte asked for is understood."""
    earlier = {"Content-Range": "bytes 90000-299999/300000"}
    faulty.faults += [
        Fault("storage", cut_after=100_000),
        Fault("storage", status=206, headers=earlier, body=BODY[90_000:]),
    ]
    assert BODY == read_all(registry, *held(faulty))


def test_a_download_that_always_breaks_is_given_up(faulty: FaultyRegistry, registry: Registry) -> None:
    """The attempts are bounded, and the error names image, blob and server."""
    faulty.faults.append(Fault("storage", times=100, cut_after=1000))
    reference, descriptor = held(faulty)
    with pytest.raises(RegistryError, match=r"breaks off.*\(given up after 3 attempts\)$") as caught:
        read_all(registry, reference, descriptor)
    assert str(caught.value).startswith(f"{reference}: blob {descriptor.digest}: ")
    assert ["", "bytes=1000-", "bytes=2000-"] == ranges(faulty)


def test_a_download_that_gets_on_is_not_given_up(faulty: FaultyRegistry, registry: Registry) -> None:
    """A large blob may break more often than there are attempts, if much has come in between."""
    body = bytes(5 * PROGRESS)
    faulty.faults.append(Fault("storage", times=4, cut_after=PROGRESS))
    assert body == read_all(registry, *held(faulty, body), size=1 << 20)


def test_wrong_bytes(faulty: FaultyRegistry, registry: Registry) -> None:
    """Bytes that are not those of the digest are told with the last of them, which is not handed out."""
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
def test_another_length(faulty: FaultyRegistry, registry: Registry, body: bytes) -> None:
    """A blob that is longer or shorter than announced is refused before its first byte."""
    faulty.faults.append(Fault("storage", body=body))
    with pytest.raises(DigestError, match=f"has {len(body)} bytes, but the manifest says 300000"):
        read_all(registry, *held(faulty))
    assert 1 == len(faulty.at("storage"))


def test_another_length_that_is_not_told(faulty: FaultyRegistry, registry: Registry) -> None:
    """A blob without a length that goes on after the announced bytes is refused."""
    faulty.chunked = True
    faulty.faults.append(Fault("storage", body=BODY + b"x"))
    with pytest.raises(DigestError, match="more than the 300000 bytes announced"):
        read_all(registry, *held(faulty))


def test_another_total_of_a_range(faulty: FaultyRegistry, registry: Registry) -> None:
    """A blob that has another length when it is resumed is refused."""
    longer = {"Content-Range": "bytes 100000-300000/300001"}
    faulty.faults += [Fault("storage", cut_after=100_000), Fault("storage", headers=longer, body=BODY[100_000:] + b"x")]
    with pytest.raises(DigestError, match="has 300001 bytes"):
        read_all(registry, *held(faulty))


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_an_expired_address_is_resolved_again(faulty: FaultyRegistry, registry: Registry, status: int) -> None:
    """The registry is asked for a new address where the storage refuses the old one."""
    faulty.faults.append(Fault("storage", status=status))
    assert BODY == read_all(registry, *held(faulty))
    assert 2 == len(faulty.at("registry"))


def test_each_address_works_once(faulty: FaultyRegistry, registry: Registry) -> None:
    """An address that served a download that broke is not used again."""
    faulty.address_uses = 1
    faulty.faults.append(Fault("storage", cut_after=100_000))
    assert BODY == read_all(registry, *held(faulty))
    assert [200, 206] == [asked.status for asked in faulty.at("storage")]


def test_addresses_that_never_work(faulty: FaultyRegistry, registry: Registry) -> None:
    """The registry is not asked for ever for an address that works."""
    faulty.address_uses = 0
    with pytest.raises(RegistryError, match=r"the storage 127.0.0.1:\d+ answers 403 \(given up after 3 attempts\)"):
        read_all(registry, *held(faulty))
    assert 3 == len(faulty.at("storage"))


def test_a_vanished_blob(faulty: FaultyRegistry, registry: Registry) -> None:
    """A blob that the registry has no more is final."""
    reference, descriptor = held(faulty)
    faulty.lose_blob(descriptor.digest)
    with pytest.raises(RegistryError) as caught:
        read_all(registry, reference, descriptor)
    expected = f"{reference}: blob {descriptor.digest}: {faulty.host} answers 404: there is no such blob"
    assert expected == str(caught.value)
    assert 1 == len(faulty.asked)


def test_a_blob_that_vanishes_on_the_way(faulty: FaultyRegistry, registry: Registry) -> None:
    """A blob that goes while it is read is an error, not a short blob."""
    reference, descriptor = held(faulty)
    faulty.faults.append(Fault("storage", cut_after=100_000))
    with registry.open_blob(reference, descriptor) as blob:
        assert BODY[:1] == blob.read(1)
        faulty.lose_blob(descriptor.digest)
        with pytest.raises(RegistryError, match="no such blob"):
            list(iter(lambda: blob.read(65536), b""))


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("spoilt", [{"pause": 0.05}, {"head_pause": 0.05}, {"silent": True}])
def test_a_stalled_download_goes_on(faulty: FaultyRegistry, spoilt: dict[str, float], chunked: bool) -> None:
    """A download that drips, in its head or its body, or says nothing at all is begun again."""
    faulty.chunked = chunked
    faulty.faults.append(Fault("storage", **spoilt))  # type: ignore[arg-type]
    with closing(Registry(no_logins, retry_policy=SHORT_TIMEOUT_OFTEN)) as registry:
        assert BODY == read_all(registry, *held(faulty))
    assert len(faulty.at("storage")) >= 2


def test_a_download_that_always_stalls_is_given_up(faulty: FaultyRegistry) -> None:
    """A server that drips for ever does not hold a sync for ever."""
    faulty.faults.append(Fault("storage", times=100, pause=0.05))
    with (
        closing(Registry(no_logins, retry_policy=SHORT_TIMEOUT)) as registry,
        pytest.raises(RegistryError, match="given up after 3 attempts"),
    ):
        read_all(registry, *held(faulty))


def test_a_slow_reader_is_no_stall(faulty: FaultyRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time that the reader takes between two pieces is not the server's."""
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
    assert 1 == len(faulty.asked)
