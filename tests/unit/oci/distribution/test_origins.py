"""Addresses are read once, and only those that may be asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.oci.distribution.origins import Reach, led_to, reach_of, registry_place
from lambda_matchbox.oci.errors import RegistryError


@given(st.text())
def test_any_location(location: str) -> None:
    """Whatever a redirect says, it leads to https or to this machine, or is refused."""
    start = registry_place("registry.example")
    try:
        found = led_to(start, location)
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
def test_registry_addresses(registry: str, expected: tuple[str, str, int]) -> None:
    """This machine is asked by http, all else by https; docker.io means the host of its registry."""
    assert expected == registry_place(registry).origin


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        ("8.8.8.8", Reach.INTERNET),
        ("2606:4700::1111", Reach.INTERNET),
        ("64:ff9b::808:808", Reach.INTERNET),
        ("10.0.0.1", Reach.PRIVATE),
        ("172.16.0.1", Reach.PRIVATE),
        ("192.168.1.1", Reach.PRIVATE),
        ("100.64.0.1", Reach.PRIVATE),
        ("240.0.0.1", Reach.PRIVATE),
        ("224.0.0.1", Reach.PRIVATE),
        ("fd00:ec2::254", Reach.PRIVATE),
        ("::ffff:10.0.0.1", Reach.PRIVATE),
        ("64:ff9b::a00:1", Reach.PRIVATE),
        ("2002:a00:1::", Reach.PRIVATE),
        ("127.0.0.1", Reach.MACHINE),
        ("127.8.9.10", Reach.MACHINE),
        ("::1", Reach.MACHINE),
        ("::ffff:127.0.0.1", Reach.MACHINE),
        ("0.0.0.0", Reach.MACHINE),
        ("169.254.169.254", Reach.MACHINE),
        ("::ffff:169.254.169.254", Reach.MACHINE),
        ("64:ff9b::a9fe:a9fe", Reach.MACHINE),
        ("fe80::1%eth0", Reach.MACHINE),
    ],
)
def test_reach(address: str, reach: Reach) -> None:
    """Addresses are of the internet, of a private network, or of this machine and its link, also inside of others."""
    assert reach == reach_of(address)
