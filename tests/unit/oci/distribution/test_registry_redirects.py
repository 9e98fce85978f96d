"""A registry redirects to allowed locations only, and credentials stay at its origin."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lambda_matchbox.oci.descriptors import Descriptor
from lambda_matchbox.oci.distribution.docker_config import Login, no_logins
from lambda_matchbox.oci.distribution.origins import parse_location
from lambda_matchbox.oci.distribution.registry import Registry
from lambda_matchbox.oci.errors import RegistryError
from lambda_matchbox.oci.image_reference import ImageReference, Platform
from tests.support.certificates import tls_server
from tests.support.faulty_registry import Fault, FaultyRegistry
from tests.support.images import manifests
from tests.support.registry_serving import faulty_registry
from tests.unit.oci.distribution.fast_retries import FAST_RETRIES

pytestmark = pytest.mark.system

ARM64 = Platform("linux", "arm64")
IMAGE = manifests.image([])
BODY = b"kernel" * 1000
INTERNET, ELSEWHERE, PRIVATE, METADATA = "8.8.8.8", "9.9.9.9", "10.1.2.3", "169.254.169.254"


@pytest.fixture
def tls_faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyRegistry]:
    """A registry at https://registry.test, its storage at https://storage.test, and an authority that is trusted."""
    context, authority = tls_server(tmp_path, ["registry.test", "storage.test"])
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    real = socket.getaddrinfo

    def looked_up(host: str, *arguments: Any, **settings: Any) -> Any:
        return real("127.0.0.1" if host.endswith(".test") else host, *arguments, **settings)

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    with faulty_registry(context) as faulty:
        faulty.host = faulty.host.replace("127.0.0.1", "registry.test")
        faulty.storage = faulty.storage.replace("http://127.0.0.1", "https://storage.test")
        yield faulty


@pytest.fixture
def tls_registry(tls_faulty: FaultyRegistry) -> Iterator[Registry]:
    with closing(Registry(no_logins, retry_policy=FAST_RETRIES)) as registry:
        yield registry


def lie(monkeypatch: pytest.MonkeyPatch, addresses: dict[str, str]) -> None:
    """Have the peers that listen at these (`host:port` or an address) be at other addresses than 127.0.0.1."""
    by_port = {parse_location(f"https://{name}").port: address for name, address in addresses.items()}

    class Pretender(socket.socket):
        def getpeername(self) -> Any:
            address, port = super().getpeername()
            return by_port.get(port, address), port

    monkeypatch.setattr(socket, "socket", Pretender)


def held(faulty: FaultyRegistry) -> tuple[ImageReference, Descriptor]:
    faulty.add("team/boot", "stable", IMAGE)
    digest = faulty.add_blob(BODY)
    return ImageReference(faulty.host, "team/boot", "stable", ""), Descriptor("a/b", digest, len(BODY))


def read_all(registry: Registry, faulty: FaultyRegistry) -> bytes:
    with registry.open_blob(*held(faulty)) as blob:
        return b"".join(iter(lambda: blob.read(65536), b""))


def test_registry_and_storage_use_https(tls_faulty: FaultyRegistry, tls_registry: Registry) -> None:
    assert BODY == read_all(tls_registry, tls_faulty)


def test_untrusted_certificate_is_final(tls_faulty: FaultyRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with (
        closing(Registry(no_logins, retry_policy=FAST_RETRIES)) as registry,
        pytest.raises(RegistryError, match=r"certificate of registry.test:.* is not trusted: .*SSL_CERT_FILE"),
    ):
        registry.resolve(held(tls_faulty)[0], ARM64)
    assert [] == tls_faulty.requests


def test_certificate_of_another_host_is_final(tls_faulty: FaultyRegistry, tls_registry: Registry) -> None:
    reference = held(tls_faulty)[0]
    with pytest.raises(RegistryError, match=r"certificate of other.test:"):
        tls_registry.resolve(reference._replace(registry=reference.registry.replace("registry", "other")), ARM64)


@pytest.mark.parametrize(
    ("registry_at", "storage_at", "allowed"),
    [
        (INTERNET, ELSEWHERE, True),
        (INTERNET, PRIVATE, False),
        (INTERNET, METADATA, False),
        (INTERNET, "127.0.0.1", False),
        (INTERNET, "100.64.1.1", False),
        (PRIVATE, ELSEWHERE, True),
        (PRIVATE, PRIVATE, True),
        (PRIVATE, METADATA, False),
        (PRIVATE, "127.0.0.1", False),
        ("127.0.0.1", PRIVATE, True),
    ],
)
def test_redirect_further_inside_is_refused(
    tls_faulty: FaultyRegistry,
    tls_registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    registry_at: str,
    storage_at: str,
    allowed: bool,
) -> None:
    """By the peer's address, before anything is sent."""
    lie(monkeypatch, {tls_faulty.host: registry_at, parse_location(tls_faulty.storage).name: storage_at})
    if allowed:
        assert BODY == read_all(tls_registry, tls_faulty)
        return
    with pytest.raises(RegistryError, match=f"leads to storage.test at the internal address {storage_at}"):
        read_all(tls_registry, tls_faulty)
    assert [1, 0] == [len(tls_faulty.at(server)) for server in ("registry", "storage")]


def test_token_endpoint_further_inside_is_refused(tls_faulty: FaultyRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    port = parse_location(tls_faulty.storage).port
    tls_faulty.scheme = "bearer"
    lie(monkeypatch, {tls_faulty.host: INTERNET, parse_location(tls_faulty.storage).name: PRIVATE})
    with closing(Registry(lambda _: Login("user", "secret"), retry_policy=FAST_RETRIES)) as registry:
        for realm in (f"https://storage.test:{port}/token", f"http://127.0.0.1:{port}/token"):
            tls_faulty.realm = realm
            with pytest.raises(RegistryError, match=r"internal address|http is allowed"):
                registry.resolve(held(tls_faulty)[0], ARM64)
    assert [] == tls_faulty.at("token")


def test_redirect_to_this_machine_is_refused(
    tls_faulty: FaultyRegistry, tls_registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    with faulty_registry() as local:
        lie(monkeypatch, {tls_faulty.host: INTERNET})
        tls_faulty.locations = [f"http://{local.host}/v2/team/boot/blobs/x"]
        with pytest.raises(RegistryError, match=r"at the internal address 127.0.0.1"):
            read_all(tls_registry, tls_faulty)
        assert [] == local.requests


def test_localhost_must_resolve_to_this_machine(
    faulty: FaultyRegistry, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    lie(monkeypatch, {faulty.host: PRIVATE})
    reference = held(faulty)[0]
    with pytest.raises(RegistryError, match="http is allowed for this machine only"):
        registry.resolve(reference._replace(registry=reference.registry.replace("127.0.0.1", "localhost")), ARM64)
    assert [] == faulty.requests


@pytest.mark.parametrize(
    "location",
    [
        "http://storage.example/x",
        "http://10.0.0.1/x",
        "http://127.0.0.2/x",
        "http://127.0.0.1.example/x",
        "http://127.0.0.1@storage.example/x",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "https://",
        "https://[::1/x",
        "https://host:port/x",
        "https://höst/x",
        "https://a b/x",
    ],
)
def test_insecure_or_malformed_redirect_is_final(faulty: FaultyRegistry, registry: Registry, location: str) -> None:
    faulty.locations = [location]
    with pytest.raises(RegistryError, match=f"{faulty.host} redirects"):
        read_all(registry, faulty)
    assert 1 == len(faulty.requests)


def test_redirect_without_a_location_is_an_error(faulty: FaultyRegistry, registry: Registry) -> None:
    faulty.faults.append(Fault("blob", status=307))
    with pytest.raises(RegistryError, match="answers 307 without a Location"):
        read_all(registry, faulty)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_every_redirect_is_followed(faulty: FaultyRegistry, registry: Registry, status: int) -> None:
    """Relative locations, too."""
    blob = held(faulty)[1].digest
    faulty.faults.append(Fault("blob", status=status, headers={"Location": f"../blobs/{blob}?again#part"}))
    assert BODY == read_all(registry, faulty)
    assert f"/v2/team/boot/blobs/{blob}?again" == faulty.at("registry")[1].target


def test_redirects_are_limited(faulty: FaultyRegistry, registry: Registry) -> None:
    blob = held(faulty)[1].digest
    faulty.redirects = False
    faulty.faults.append(Fault("blob", times=5, status=307, headers={"Location": f"/v2/team/boot/blobs/{blob}"}))
    assert BODY == read_all(registry, faulty)
    faulty.faults[0].times = 6
    with pytest.raises(RegistryError, match="redirects more than 5 times"):
        read_all(registry, faulty)
    assert 6 + 6 == len(faulty.requests)


def test_authorization_is_not_sent_after_a_redirect(faulty: FaultyRegistry, registry: Registry) -> None:
    """Not even back to the registry."""
    faulty.scheme = "bearer"
    own = f"/v2/team/boot/blobs/{held(faulty)[1].digest}"
    faulty.faults.append(
        Fault("blob", status=401, headers={"WWW-Authenticate": f'Bearer realm="http://{faulty.host}/token"'})
    )
    faulty.faults.append(Fault("blob", status=307, headers={"Location": own}))
    faulty.faults.append(Fault("storage", times=3, status=307, headers={"Location": f"http://{faulty.host}{own}"}))
    with pytest.raises(RegistryError, match="answers 401"):
        read_all(registry, faulty)
    shown = ["authorization" in request.headers for request in faulty.at("registry")]
    assert [False, True, True, False, True, False, True, False] == shown
    assert not any("authorization" in request.headers for request in faulty.at("storage"))
