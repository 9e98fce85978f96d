"""Transient failures of a registry are retried within limits; errors name image and step."""

import time
from contextlib import closing
from email.utils import formatdate
from unittest.mock import patch

import pytest

from lambda_matchbox.backoff import Backoff
from lambda_matchbox.oci.distribution.docker_config import no_logins
from lambda_matchbox.oci.distribution.registry import Registry
from lambda_matchbox.oci.distribution.retries import RetryPolicy, parse_retry_after
from lambda_matchbox.oci.errors import RegistryError
from lambda_matchbox.oci.image_reference import ImageReference, Platform
from tests.support.faulty_registry import Fault, FaultyRegistry
from tests.support.images import layers, manifests
from tests.unit.oci.distribution.fast_retries import FAST_RETRIES

SOME_TIME = RetryPolicy(attempts=4, backoff=Backoff(1.0, 30.0))
ARM64 = Platform("linux", "arm64")
KERNEL = layers.plain(layers.Entry("vmlinuz", b"kernel"))
IMAGE = manifests.image([KERNEL])


@pytest.fixture
def faulty(faulty: FaultyRegistry) -> FaultyRegistry:
    faulty.add("team/boot", "stable", IMAGE)
    faulty.scheme = "bearer"
    return faulty


def reference_to(faulty: FaultyRegistry) -> ImageReference:
    return ImageReference(faulty.host, "team/boot", "stable", "")


def pull(registry: Registry, reference: ImageReference) -> bytes:
    """Everything of the image, and the bytes of its only layer."""
    manifest = registry.manifest(reference, registry.resolve(reference, ARM64)[-1])
    registry.config(reference, manifest)
    with registry.open_blob(reference, manifest.layers[0]) as blob:
        return b"".join(iter(lambda: blob.read(65536), b""))


@pytest.mark.parametrize("at", ["manifest", "blob", "storage", "token"])
@pytest.mark.parametrize(
    "fault", [{"status": 429}, {"status": 500}, {"status": 503}, {"silent": True}, {"cut_after": 0}, {"cut_after": 1}]
)
def test_transient_failures_are_retried(
    faulty: FaultyRegistry, registry: Registry, at: str, fault: dict[str, int]
) -> None:
    faulty.faults.append(Fault(at, times=2, **fault))  # type: ignore[arg-type]
    assert KERNEL.body == pull(registry, reference_to(faulty))
    assert 0 == faulty.faults[0].times


@pytest.mark.parametrize(
    ("at", "step"), [("manifest", "manifest"), ("blob", "config sha256:"), ("token", "manifest: token from")]
)
def test_attempts_are_limited(faulty: FaultyRegistry, registry: Registry, at: str, step: str) -> None:
    faulty.faults.append(Fault(at, times=100, status=500))
    reference = reference_to(faulty)
    with pytest.raises(RegistryError, match=r"answers 500 \(given up after 3 attempts\)$") as caught:
        pull(registry, reference)
    assert str(caught.value).startswith(f"{reference}: {step}")
    assert 97 == faulty.faults[0].times


@pytest.mark.parametrize("status", [400, 405, 418, 451])
def test_other_client_errors_are_final(faulty: FaultyRegistry, registry: Registry, status: int) -> None:
    faulty.faults.append(Fault("manifest", times=100, status=status))
    with pytest.raises(RegistryError, match=f"manifest: {faulty.host} answers {status}$"):
        pull(registry, reference_to(faulty))
    assert 1 == len(faulty.requests)


@pytest.mark.parametrize(
    ("retry_after", "pauses"),
    [("7", [7.0, 7.0]), ("0", [0.0, 0.0]), ("86400", [30.0, 30.0]), ("9" * 20, [30.0, 30.0])],
)
def test_retry_after_is_the_pause(faulty: FaultyRegistry, retry_after: str, pauses: list[float]) -> None:
    """Up to the longest pause."""
    faulty.faults.append(Fault("manifest", times=2, status=429, headers={"Retry-After": retry_after}))
    with closing(Registry(no_logins, retry_policy=SOME_TIME)) as registry, patch("time.sleep") as sleep:
        registry.resolve(reference_to(faulty), ARM64)
    assert pauses == [call.args[0] for call in sleep.call_args_list]


@pytest.mark.parametrize("retry_after", ["", "soon", "-5", "1.5"])
def test_pauses_double_with_jitter(faulty: FaultyRegistry, retry_after: str) -> None:
    faulty.faults.append(Fault("manifest", times=3, status=503, headers={"Retry-After": retry_after}))
    with closing(Registry(no_logins, retry_policy=SOME_TIME)) as registry, patch("time.sleep") as sleep:
        registry.resolve(reference_to(faulty), ARM64)
    pauses = [call.args[0] for call in sleep.call_args_list]
    assert [True, True, True] == [low <= pause <= 2 * low for low, pause in zip((0.5, 1.0, 2.0), pauses, strict=True)]


def test_retry_after_may_be_a_date() -> None:
    with patch("time.time", return_value=1_000_000_000.0):
        assert 90.0 == parse_retry_after(formatdate(1_000_000_090, usegmt=True))
        assert 0.0 == parse_retry_after(formatdate(999_999_000, usegmt=True))
    assert None is parse_retry_after("Wed, 99 Foo 2020 00:00:00 GMT")
    assert time.time() > 0


@pytest.mark.system
def test_refused_connection_is_an_error() -> None:
    reference = ImageReference("127.0.0.1:1", "team/boot", "stable", "")
    with (
        closing(Registry(no_logins, retry_policy=FAST_RETRIES)) as registry,
        pytest.raises(RegistryError, match=r"manifest: no response from 127.0.0.1:1: connection refused .*3 attempts"),
    ):
        registry.resolve(reference, ARM64)


@pytest.mark.parametrize("head", ["pause", "head_pause"])
def test_dripping_manifest_is_an_error(faulty: FaultyRegistry, head: str) -> None:
    faulty.faults.append(Fault("manifest", times=100, **{head: 0.05}))  # type: ignore[arg-type]
    with (
        closing(Registry(no_logins, retry_policy=FAST_RETRIES._replace(read_timeout=0.2, attempts=2))) as registry,
        pytest.raises(RegistryError, match="given up after 2 attempts"),
    ):
        registry.resolve(reference_to(faulty), ARM64)


def test_invalid_host_is_an_error_with_the_image() -> None:
    with closing(Registry(no_logins, retry_policy=FAST_RETRIES)) as registry:
        for host in ("registry.example:99999", "[::zz]:5000", "a..b/c"):
            with pytest.raises(RegistryError, match="team/boot:stable: "):
                registry.resolve(ImageReference(host, "team/boot", "stable", ""), ARM64)
