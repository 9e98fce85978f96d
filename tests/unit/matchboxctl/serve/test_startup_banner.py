"""The startup banner of `serve`."""

import pytest

from matchboxctl.cli.arguments import Address
from matchboxctl.serve.own_address import is_loopback, own_address
from matchboxctl.serve.startup_banner import startup_banner


def told(host: str, own: str | None) -> list[str]:
    """The lines for a host: where it listens, addresses to try, the DHCP server's settings, and notes."""
    lines = startup_banner(Address(host, 80), "", ["/ipxe"], lambda: own)
    return [line.strip() for line in lines if "80" in line or ("ADDRESS" in line and "boot.ipxe" not in line)]


@pytest.mark.parametrize(
    ("host", "own", "local", "boot"),
    [
        ("192.0.2.7", "192.0.2.1", "192.0.2.7:80", "192.0.2.7:80"),
        ("boot.test", "192.0.2.1", "boot.test:80", "boot.test:80"),
        ("0.0.0.0", "192.0.2.1", "127.0.0.1:80", "192.0.2.1:80"),
        ("::", "192.0.2.1", "127.0.0.1:80", "192.0.2.1:80"),
        ("2001:db8::1", None, "[2001:db8::1]:80", "[2001:db8::1]:80"),
        ("127.0.0.2", "192.0.2.1", "127.0.0.2:80", "192.0.2.1:80"),
        ("::1", "192.0.2.1", "[::1]:80", "192.0.2.1:80"),
        ("localhost", None, "localhost:80", "ADDRESS:80"),
        ("0.0.0.0", None, "127.0.0.1:80", "ADDRESS:80"),
    ],
)
def test_banner_has_reachable_addresses(host: str, own: str | None, local: str, boot: str) -> None:
    """Those to try are local, the DHCP server's is reachable by others; IPv6 has its brackets."""
    listening, first, second, dhcp, *notes = told(host, own)
    assert f"listening on {f'[{host}]' if ':' in host else host}:80" == listening
    assert [f"curl 'http://{local}/boot.ipxe'", f"curl 'http://{local}/ipxe'"] == [first, second]
    assert f"dhcp-boot=tag:ipxe,http://{boot}/boot.ipxe" == dhcp
    unknown = "(no interface has an address that other machines reach: replace ADDRESS once one has)"
    only_here = "(only this machine reaches it: serve others with --address 0.0.0.0:80)"
    expected = {unknown: boot.startswith("ADDRESS"), only_here: is_loopback(host)}
    assert [note for note, due in expected.items() if due] == notes


@pytest.mark.system
def test_own_address_is_not_loopback() -> None:
    address = own_address()
    assert address is None or not is_loopback(address)
    assert "0.0.0.0" != address
