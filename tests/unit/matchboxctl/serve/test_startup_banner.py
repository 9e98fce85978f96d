"""The startup banner of `serve`."""

import errno
from contextlib import closing
from pathlib import Path
from textwrap import indent

import pytest

from matchboxctl.cli.arguments import Address
from matchboxctl.directory.catalog import DirectoryCatalog
from matchboxctl.serve.own_address import is_loopback, own_address
from matchboxctl.serve.startup_banner import example_paths, startup_banner
from tests.support.commands import Commands
from tests.support.data_files import write_files


def banner(host: str, own: str | None) -> list[str]:
    """The lines for a host: where it listens, addresses to try, the DHCP server's script, and notes."""
    lines = [line.strip() for line in startup_banner(Address(host, 80), "", ["/ipxe"], lambda: own)]
    return [
        line
        for line in lines
        if line.startswith(("listening", "curl", "dhcp-boot=tag:ipxe", "dhcp-option=tag:ipxe", "("))
    ]


@pytest.mark.parametrize(
    ("host", "own", "local", "boot"),
    [
        ("192.0.2.7", "192.0.2.1", "192.0.2.7:80", "192.0.2.7:80"),
        ("boot.test", "192.0.2.1", "boot.test:80", "boot.test:80"),
        ("0.0.0.0", "192.0.2.1", "127.0.0.1:80", "192.0.2.1:80"),
        ("::", "192.0.2.1", "127.0.0.1:80", "192.0.2.1:80"),
        ("::0", "192.0.2.1", "127.0.0.1:80", "192.0.2.1:80"),
        ("2001:db8::1", None, "[2001:db8::1]:80", "[2001:db8::1]:80"),
        ("127.0.0.2", "192.0.2.1", "127.0.0.2:80", "192.0.2.1:80"),
        ("::1", "192.0.2.1", "[::1]:80", "192.0.2.1:80"),
        ("localhost", None, "localhost:80", "ADDRESS:80"),
        ("0.0.0.0", None, "127.0.0.1:80", "ADDRESS:80"),
    ],
)
def test_banner_has_reachable_addresses(host: str, own: str | None, local: str, boot: str) -> None:
    """Those to try are local, the DHCP server's is reachable by others; IPv6 has its brackets."""
    listening, first, second, dhcp, *notes = banner(host, own)
    assert f"listening on {f'[{host}]' if ':' in host else host}:80" == listening
    assert [f"curl 'http://{local}/boot.ipxe'", f"curl 'http://{local}/ipxe'"] == [first, second]
    assert dhcp.endswith(f",http://{boot}/boot.ipxe")
    unknown = "(no interface has an address that other machines reach: replace ADDRESS once one has)"
    only_here = "(only this machine reaches it: serve others with --address 0.0.0.0:80)"
    expected = {unknown: boot.startswith("ADDRESS"), only_here: is_loopback(host)}
    assert [note for note, due in expected.items() if due] == notes


def test_banner_has_what_the_command_for_dhcp_prints(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    lines = startup_banner(Address("0.0.0.0", 8080), "", [], lambda: "192.168.1.2")
    printed = Commands(capsysbinary)("dhcp", "dnsmasq", "--url", "http://192.168.1.2:8080").out
    assert "\n".join(lines).endswith(f"dnsmasq, with iPXE by `matchboxctl ipxe fetch`:\n{indent(printed, '  ')}")


def test_scripts_of_groups_with_a_policy_are_those_of_a_machine(tmp_path: Path) -> None:
    """Without an identity it would be refused."""
    policy, mac = {"boot": {"once": True}}, {"mac": "52:54:00:00:00:01"}
    groups = {"a": {"selector": {"arch": "arm64"}} | policy, "b": {"selector": mac} | policy, "c": {}}
    files = {f"groups/{name}.json": {"profile": "p"} | group for name, group in groups.items()}
    write_files(tmp_path, files | {"profiles/p.json": {}})
    with closing(DirectoryCatalog(tmp_path, print)) as catalog:
        found = example_paths(catalog)
    scripts = ["/ipxe", "/ipxe?arch=arm64&mac=52-54-00-12-34-56", "/ipxe?mac=52%3A54%3A00%3A00%3A00%3A01"]
    assert [*scripts, "/profiles/p"] == sorted(found)


@pytest.mark.system
def test_own_address_without_netlink_is_that_of_the_default_route(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with systemd's RestrictAddressFamilies."""
    monkeypatch.setattr("socket.if_nameindex", lambda: (_ for _ in ()).throw(OSError(errno.EAFNOSUPPORT, "refused")))
    monkeypatch.setattr("matchboxctl.serve.own_address._of_default_route", lambda: "192.0.2.7")
    assert "192.0.2.7" == own_address()


@pytest.mark.system
def test_own_address_is_not_loopback() -> None:
    address = own_address()
    assert address is None or not is_loopback(address)
    assert "0.0.0.0" != address
