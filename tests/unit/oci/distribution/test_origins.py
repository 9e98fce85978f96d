"""Locations of requests and the zones of addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.oci.distribution.origins import NetworkZone, redirect_target, registry_location, zone_of
from lambda_matchbox.oci.errors import RegistryError


@given(st.text())
def test_any_redirect_is_secure_local_or_refused(location: str) -> None:
    start = registry_location("registry.example")
    try:
        found = redirect_target(start, location)
    except RegistryError:
        return
    assert found.scheme == "https" or found.host in ("127.0.0.1", "::1", "localhost")
    assert found.target.isascii()


@pytest.mark.parametrize(
    ("registry", "expected"),
    [
        ("ghcr.io", ("https", "ghcr.io", 443)),
        ("GHCR.io:5000", ("https", "ghcr.io", 5000)),
        ("docker.io", ("https", "registry-1.docker.io", 443)),
        ("127.0.0.1:5000", ("http", "127.0.0.1", 5000)),
        ("localhost", ("http", "localhost", 80)),
        ("[::1]:5000", ("http", "::1", 5000)),
        ("[0:0::1]:5000", ("http", "::1", 5000)),
        ("127.0.0.2:5000", ("https", "127.0.0.2", 5000)),
        ("localhost.example:80", ("https", "localhost.example", 80)),
    ],
)
def test_registry_uses_http_on_this_machine_only(registry: str, expected: tuple[str, str, int]) -> None:
    """docker.io is the host of Docker Hub's registry."""
    assert expected == registry_location(registry).origin


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        ("8.8.8.8", NetworkZone.INTERNET),
        ("2606:4700::1111", NetworkZone.INTERNET),
        ("64:ff9b::808:808", NetworkZone.INTERNET),
        ("10.0.0.1", NetworkZone.PRIVATE),
        ("172.16.0.1", NetworkZone.PRIVATE),
        ("192.168.1.1", NetworkZone.PRIVATE),
        ("100.64.0.1", NetworkZone.PRIVATE),
        ("240.0.0.1", NetworkZone.PRIVATE),
        ("224.0.0.1", NetworkZone.PRIVATE),
        ("fd00:ec2::254", NetworkZone.PRIVATE),
        ("::ffff:10.0.0.1", NetworkZone.PRIVATE),
        ("64:ff9b::a00:1", NetworkZone.PRIVATE),
        ("2002:a00:1::", NetworkZone.PRIVATE),
        ("127.0.0.1", NetworkZone.LOCAL),
        ("127.8.9.10", NetworkZone.LOCAL),
        ("::1", NetworkZone.LOCAL),
        ("::ffff:127.0.0.1", NetworkZone.LOCAL),
        ("0.0.0.0", NetworkZone.LOCAL),
        ("169.254.169.254", NetworkZone.LOCAL),
        ("::ffff:169.254.169.254", NetworkZone.LOCAL),
        ("64:ff9b::a9fe:a9fe", NetworkZone.LOCAL),
        ("fe80::1%eth0", NetworkZone.LOCAL),
    ],
)
def test_zone_of_address(address: str, reach: NetworkZone) -> None:
    """IPv4 addresses inside IPv6 ones count."""
    assert reach == zone_of(address)
