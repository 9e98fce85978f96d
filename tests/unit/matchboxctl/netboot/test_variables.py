"""Variables in addresses."""

import pytest

from matchboxctl.netboot.variables import STAND_INS, Filled, fill_ipxe, fill_talos, label_of

LABELS = {
    "mac": "52-54-00-AB-34-56",
    "uuid": "0a0b0c0d-0000-4000-8000-00000000ffff",
    "serial": "A 1&b",
    "arch": "arm64",
    "hostname": "",
}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("${uuid}", LABELS["uuid"]),
        ("${mac}", "52:54:00:ab:34:56"),
        ("${mac:hexhyp}", "52-54-00-ab-34-56"),
        ("${mac:hexraw}", "525400ab3456"),
        ("${net0/mac:hex}", "52:54:00:ab:34:56"),
        ("${netX/mac}", "52:54:00:ab:34:56"),
        ("${serial}", "A 1&b"),
        ("${serial:uristring}", "A%201%26b"),
        ("${serial:hexhyp}", "41-20-31-26-62"),
        ("${serial:base64}", "QSAxJmI="),
        ("${uuid:hexraw}", "0a0b0c0d00004000800000000000ffff"),
        ("${buildarch}", "arm64"),
        ("${buildarch:uristring}", "arm64"),
        ("${hostname}", ""),
        ("${cwduri}", "http://h/"),
    ],
)
def test_ipxe_variable_has_the_value_of_its_label(variable: str, value: str) -> None:
    assert Filled(f"a={value}&b") == fill_ipxe(f"a={variable}&b", LABELS, directory="http://h/")


@pytest.mark.parametrize("variable", ["${next-server}", "${net1/mac}", "${domain}", "${uuid:busdevfn}", "${x:}"])
def test_variable_without_a_label_is_left_and_named(variable: str) -> None:
    assert Filled(f"a={variable}", (variable,)) == fill_ipxe(f"a={variable}", LABELS)


def test_directory_is_left_if_unknown_and_not_missing() -> None:
    assert Filled("${cwduri}a") == fill_ipxe("${cwduri}a", LABELS)


def test_any_label_gives_the_variable_of_its_name() -> None:
    assert Filled("http://10.0.0.1/k") == fill_ipxe("http://${next-server}/k", {"next-server": "10.0.0.1"})


def test_label_of_a_variable_is_what_an_operator_gives() -> None:
    variables = ("${buildarch:uristring}", "${net0/mac:hexhyp}", "${net0/ip}", "${net1/mac}")
    assert ["arch", "mac", "ip", "net1/mac"] == [label_of(variable) for variable in variables]


def test_talos_fills_its_variables_and_a_uuid_without_value() -> None:
    """The query is sorted and encoded anew."""
    address = "http://h/ignition?uuid=&no=${SERIAL}&mac=${mac}"
    filled = "http://h/ignition?mac=52%3A54%3A00%3Aab%3A34%3A56&no=A+1%26b&uuid=" + LABELS["uuid"]
    assert Filled(filled) == fill_talos(address, LABELS)
    left = fill_talos("http://h/ignition?b=${code}&a=1", LABELS)
    assert Filled("http://h/ignition?a=1&b=%24%7Bcode%7D", ("${code}",)) == left
    assert ("${uuid}",) == fill_talos("http://h/ignition?uuid=", {}).missing


def test_talos_requests_other_addresses_unchanged() -> None:
    for address in ("http://h/ignition?b=%2f&a=${other}", "http://h/${uuid}", "http://h/i?uuid=1", "http://[?uuid="):
        assert Filled(address) == fill_talos(address, LABELS)


def test_stand_ins_fill_what_boot_ipxe_sends() -> None:
    sent = "uuid=${uuid}&mac=${mac:hexhyp}&domain=${domain}&hostname=${hostname}&serial=${serial}&arch=${buildarch}"
    assert () == fill_ipxe(sent, STAND_INS).missing
