"""`matchboxctl dhcp`."""

import json
import re
from typing import Any

import pytest

from tests.support.commands import Commands

URL = "http://192.168.1.2:8080"
URL_6 = "http://[fd00::1]:8080"
FILES = {
    0: "undionly.kpxe",
    7: "ipxe.efi",
    9: "ipxe.efi",
    11: "ipxe-arm64.efi",
    16: "/assets/ipxe.efi",
    19: "/assets/ipxe-arm64.efi",
}
"""What firmware gets by its architecture, as option 93 has it; a path is one of the boot server."""


@pytest.fixture
def dhcp(capsysbinary: pytest.CaptureFixture[bytes]) -> "Printed":
    return Printed(Commands(capsysbinary))


class Printed:
    """What the command prints."""

    def __init__(self, command: Commands) -> None:
        self._command = command

    def __call__(self, *arguments: str) -> str:
        ended = self._command("dhcp", *arguments)
        assert 0 == ended.code, ended.err
        return ended.out

    def lines(self, *arguments: str) -> list[str]:
        return self(*arguments).splitlines()

    def kea(self, *arguments: str) -> dict[str, Any]:
        server: dict[str, Any] = json.loads(self("kea", *arguments))
        return server

    def notes(self, *arguments: str) -> str:
        return self._command("dhcp", *arguments).err

    def refused(self, *arguments: str) -> str:
        return self._command.refused("dhcp", *arguments)[-1]


def at(path: str, url: str) -> str:
    return f"{url}{path}" if path.startswith("/") else path


def test_dnsmasq_has_a_file_for_each_architecture_and_the_script_for_ipxe(dhcp: Printed) -> None:
    lines = dhcp.lines("dnsmasq", "--url", f"{URL}/")
    matched = {
        int(found[2]): found[1]
        for line in lines
        if (found := re.fullmatch(r"dhcp-match=set:(\w+),option:client-arch,(\d+)", line))
    }
    assert FILES.keys() == matched.keys()
    for architecture, file in FILES.items():
        assert f"dhcp-boot=tag:!ipxe,tag:{matched[architecture]},{at(file, URL)}" in lines
    assert {"dhcp-userclass=set:ipxe,iPXE", f"dhcp-boot=tag:ipxe,{URL}/boot.ipxe"} < set(lines)
    assert "dhcp-option-force=tag:http,option:vendor-class,HTTPClient" in lines


def test_dnsmasq_serves_ipv6_with_advertisements_and_urls(dhcp: Printed) -> None:
    lines = dhcp.lines("dnsmasq", "--url", URL_6)
    assert {"enable-ra", "dhcp-range=fd00::1000,fd00::1fff,64"} < set(lines)
    for architecture, file in FILES.items():
        if architecture:
            (tag,) = (line.split(":")[1].split(",")[0] for line in lines if line.endswith(f"61,00:{architecture:02x}"))
            url = at(file, URL_6) if file.startswith("/") else f"tftp://[fd00::1]/{file}"
            assert f"dhcp-option=tag:!ipxe,tag:{tag},option6:bootfile-url,{url}" in lines
    assert f"dhcp-option=tag:ipxe,option6:bootfile-url,{URL_6}/boot.ipxe" in lines
    assert not [line for line in lines if "undionly" in line or line.startswith("dhcp-boot")]


@pytest.mark.parametrize("server", ["dnsmasq", "kea", "isc", "routeros"])
def test_secure_boot_gives_uefi_what_is_signed(server: str, dhcp: Printed) -> None:
    arguments = (server, "--url", URL, "--secure-boot")
    files = re.findall(r"[\w/.-]+(?:\.efi|\.kpxe)\b", dhcp(*arguments))
    assert ["undionly.kpxe", "shimx64.efi", "shimaa64.efi"] == [*dict.fromkeys(files)]
    assert "grub/grub.cfg" in dhcp.notes(*arguments)


@pytest.mark.parametrize(("host", "path"), [("192.168.1.2:8080", ""), ("boot.test", "/prefix")])
def test_grub_asks_the_boot_server(host: str, path: str, dhcp: Printed) -> None:
    arguments = ("grub", "--url", f"http://{host}{path}/")
    *_, root, request = dhcp.lines(*arguments)
    assert f"set root=(http,{host})" == root
    assert f'configfile "{path}/grub?uuid=${{uuid}}&mac=${{net_default_mac}}"' == request
    assert "" == dhcp.notes(*arguments)


def test_proxy_gives_no_addresses(dhcp: Printed) -> None:
    lines = dhcp.lines("dnsmasq", "--url", URL, "--proxy")
    assert ["dhcp-range=192.168.1.0,proxy"] == [line for line in lines if line.startswith("dhcp-range")]
    # iPXE on BIOS boots nothing of a proxy that names no server.
    assert f"dhcp-boot=tag:ipxe,{URL}/boot.ipxe,,192.168.1.2" in lines
    services = ["x86PC", "BC_EFI", "X86-64_EFI", "ARM64_EFI"]
    assert services == [line.split(",")[1] for line in lines if line.startswith("pxe-service=tag:!ipxe,")]
    assert "assets" not in "".join(lines)


def test_proxy_needs_its_own_address_where_the_url_has_a_name(dhcp: Printed) -> None:
    arguments = ["dnsmasq", "--url", "http://boot", "--proxy", "--range", "10.0.0.0"]
    assert "--tftp-server ADDRESS" in dhcp.refused(*arguments)
    assert "dhcp-boot=tag:ipxe,http://boot/boot.ipxe,,10.0.0.2" in dhcp.lines(*arguments, "--tftp-server", "10.0.0.2")


@pytest.mark.parametrize(
    ("arguments", "addresses"),
    [
        (["--url", URL], "192.168.1.100,192.168.1.200"),
        # Not the boot server's own.
        (["--url", "http://10.20.13.140:8080"], "10.20.13.201,10.20.13.250"),
        (["--url", URL, "--range", "10.0.0.9,10.0.3.8/22"], "10.0.0.9,10.0.3.8"),
        (["--url", "http://boot", "--range", "10.0.0.8,10.0.0.9", "--dns", "10.0.0.1"], "10.0.0.8,10.0.0.9"),
        (["--url", "http://[fd00::1555]"], "fd00::2000,fd00::2fff,64"),
    ],
)
def test_machines_get_addresses_of_the_range_or_beside_the_boot_servers(
    arguments: list[str], addresses: str, dhcp: Printed
) -> None:
    assert f"dhcp-range={addresses}" in dhcp.lines("dnsmasq", *arguments)


@pytest.mark.parametrize(
    "arguments", [["--url", "http://lb.test"], ["--url", "http://8.8.8.8"], ["--url", URL, "--range", "none"]]
)
def test_a_configuration_without_addresses_leaves_other_settings_alone(arguments: list[str], dhcp: Printed) -> None:
    """dnsmasq of a router keeps its DNS."""
    names = {line.partition("=")[0] for line in dhcp.lines("dnsmasq", *arguments)}
    assert not names & {"dhcp-range", "port", "bind-dynamic", "interface"}


def test_kea_has_a_class_for_each_architecture_and_for_ipxe(dhcp: Printed) -> None:
    server = dhcp.kea("--url", URL, "--interface", "eth0", "--router", "192.168.1.1")["Dhcp4"]
    assert ["eth0"] == server["interfaces-config"]["interfaces"]
    ipxe, *others = server["client-classes"]
    assert f"{URL}/boot.ipxe" == ipxe["boot-file-name"]
    for architecture, file in FILES.items():
        (one,) = (each for each in others if f"option[93].hex == 0x{architecture:04x}" in each["test"])
        assert at(file, URL) == one["boot-file-name"]
        assert ("next-server" in one) != ("option-data" in one)
        assert "not member('ipxe')" in one["test"]
    (subnet,) = server["subnet4"]
    assert ("192.168.1.0/24", [{"pool": "192.168.1.100 - 192.168.1.200"}]) == (subnet["subnet"], subnet["pools"])
    assert {"192.168.1.1"} == {each["data"] for each in subnet["option-data"]}


def test_kea_serves_ipv6(dhcp: Printed) -> None:
    arguments = ("--url", URL_6, "--interface", "eth0")
    server = dhcp.kea(*arguments)["Dhcp6"]
    ipxe, *others = server["client-classes"]
    assert [{"name": "bootfile-url", "data": f"{URL_6}/boot.ipxe"}] == ipxe["option-data"]
    assert {"efi64", "arm64", "http64", "httparm64"} == {each["name"] for each in others}
    for each in others:
        # Without the class, UEFI ignores an offer of HTTP boot.
        assert each["name"].startswith("http") == any(option.get("code") == 16 for option in each["option-data"])
    assert "managed" in dhcp.notes("kea", *arguments)


def test_isc_and_routeros_have_each_architectures_file_and_the_script(dhcp: Printed) -> None:
    isc, routeros = dhcp("isc", "--url", URL), dhcp("routeros", "--url", URL)
    for architecture, file in FILES.items():
        assert re.search(rf"architecture = 00:{architecture:02x}\b[^{{]*{{[^}}]*filename \"{at(file, URL)}\";", isc)
        (name,) = re.findall(rf"code=93 value=0x{architecture:04x} option-set=(\S+)", routeros)
        assert f"add name={name} code=67 value=\"s'{at(file, URL)}'\"" in routeros
    assert f'filename "{URL}/boot.ipxe";' in isc
    assert f"add name=matchbox-ipxe code=67 value=\"s'{URL}/boot.ipxe'\"" in routeros


def test_routeros_has_a_dns_server_already(dhcp: Printed) -> None:
    arguments = ("--url", "http://boot", "--range", "10.0.0.8,10.0.0.9", "--tftp-server", "10.0.0.2")
    assert "value=\"s'http://boot/boot.ipxe'\"" in dhcp("routeros", *arguments)


def test_https_is_said_to_need_a_new_ipxe(dhcp: Printed) -> None:
    assert "iPXE before 2.0.0 has no https" in dhcp.notes("dnsmasq", "--url", "https://192.168.1.2")
    assert "" == dhcp.notes("dnsmasq", "--url", URL)


def test_the_first_line_is_the_command_that_prints_the_same(dhcp: Printed) -> None:
    arguments = ["dnsmasq", "--url", URL_6, "--tftp-root", "/tftp", "--interface", "eth0", "--dns", "fd00::1"]
    first, *_ = dhcp.lines(*arguments)
    assert f"# matchboxctl dhcp {' '.join(arguments)}".replace(URL_6, f"'{URL_6}'") == first


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["dnsmasq", "--url", "192.168.1.2:8080"], "invalid --url"),
        (["dnsmasq", "--url", f"{URL}/?a=b"], "invalid --url"),
        (["dnsmasq", "--url", "http://a\ndhcp-script=/x"], "invalid --url"),
        (["dnsmasq", "--url", "http://[fd00::1"], "invalid --url"),
        (["dnsmasq", "--url", "http://[fe80::1%25eth0]"], "invalid --url"),
        # A zone may be any text.
        (["dnsmasq", "--url", URL_6, "--dns", "fd00::1%\nconf-dir=x"], "invalid --dns"),
        (["dnsmasq", "--url", URL_6, "--range", "fd00::8%\nconf-dir=x,fd00::9%\nconf-dir=x"], "invalid --range"),
        (["dnsmasq", "--url", URL, "--range", "10.0.0.8,\n10.0.0.9"], "invalid --range"),
        (["dnsmasq", "--url", "http://127.0.0.1:8080"], "reaches no other machine"),
        (["dnsmasq", "--url", URL, "--range", "10.0.0.9,10.0.1.9"], "invalid --range"),
        (["dnsmasq", "--url", URL, "--range", "10.0.0.9,10.0.0.8"], "invalid --range"),
        (["dnsmasq", "--url", URL, "--range", "10.0.0.9"], "invalid --range"),
        (["dnsmasq", "--url", URL, "--range", "10.0.0.9,fd00::1"], "invalid --range"),
        (["dnsmasq", "--url", URL, "--range", "fd00::8,fd00::9"], "not of the same kind"),
        (["dnsmasq", "--url", URL, "--range", "192.168.1.1,192.168.1.9"], "of a server, 192.168.1.2:"),
        (["dnsmasq", "--url", URL, "--router", "192.168.1.150"], "of a server, 192.168.1.150:"),
        (["kea", "--url", URL_6, "--interface", "eth0", "--dns", "fd00::1001"], "of a server, fd00::1001:"),
        (["dnsmasq", "--url", URL, "--interface", "eth0\nx"], "invalid --interface"),
        (["dnsmasq", "--url", URL, "--tftp-root", "tftp"], "invalid --tftp-root"),
        (["dnsmasq", "--url", URL, "--router", "gateway"], "invalid --router"),
        (["dnsmasq", "--url", URL, "--dns", "fd00::1"], "not an IPv4 address"),
        (["dnsmasq", "--url", URL_6, "--router", "fd00::1"], "--router is for IPv4"),
        (["dnsmasq", "--url", URL_6, "--proxy"], "DHCPv6 has no proxies"),
        (["dnsmasq", "--url", URL_6, "--secure-boot"], "--secure-boot is for IPv4"),
        (["dnsmasq", "--url", URL, "--proxy", "--secure-boot"], "leave out --proxy"),
        (["dnsmasq", "--url", "http://boot", "--range", "10.0.0.8,10.0.0.9"], "--dns ADDRESS"),
        (["dnsmasq", "--url", "http://boot", "--range", "fd00::8,fd00::9", "--dns", "fd00::1"], "--tftp-server"),
        (["dnsmasq", "--url", "http://boot", "--proxy"], "such as --range"),
        (["dnsmasq", "--url", "http://boot", "--proxy", "--range", "192.168.1.0"], "with --tftp-server ADDRESS"),
        (["dnsmasq", "--url", URL, "--tftp-server", "192.168.1.3"], "its own address"),
        (["kea", "--url", "http://8.8.8.8"], "such as --range"),
        (["kea", "--url", URL, "--range", "none"], "such as --range"),
        (["kea", "--url", "http://boot", "--range", "10.0.0.8,10.0.0.9", "--dns", "10.0.0.1"], "--tftp-server"),
        (["kea", "--url", URL_6], "--interface is required"),
        (["kea", "--url", URL, "--proxy"], "--proxy is for dnsmasq"),
        (["grub", "--url", "https://192.168.1.2"], "http address of IPv4"),
        (["grub", "--url", URL_6], "http address of IPv4"),
        (["grub", "--url", URL, "--interface", "eth0"], "no option but --url"),
        (["isc", "--url", URL, "--tftp-root", "/srv"], "--tftp-root is for dnsmasq"),
        (["isc", "--url", URL_6], "use dnsmasq or kea"),
        (["routeros", "--url", URL_6], "use dnsmasq or kea"),
        (["routeros", "--url", URL, "--router", "192.168.1.1"], "not for routeros"),
    ],
)
def test_what_cannot_be_configured_is_refused(arguments: list[str], part: str, dhcp: Printed) -> None:
    assert part in dhcp.refused(*arguments)
