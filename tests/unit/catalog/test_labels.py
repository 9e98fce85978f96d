"""Labels are read from a query as matchbox reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.catalog.labels import is_mac, read_query
from lambda_matchbox.golang.hardware_address import InvalidMACError, normalise_mac
from lambda_matchbox.golang.http.paths import parse_query

ADDRESSES = st.sampled_from([6, 8, 20]).flatmap(lambda octets: st.binary(min_size=octets, max_size=octets))
TWENTY = "00:00:00:00:fe:80:00:00:00:00:00:00:02:00:5e:10:00:00:00:01"


def spellings(address: bytes) -> list[str]:
    """All spellings of an address that Go's `net.ParseMAC` and matchbox read, in both cases."""
    lower = [address.hex(":"), address.hex("-"), address.hex(".", -2), address.hex()]
    return lower + [spelling.upper() for spelling in lower]


@given(ADDRESSES)
def test_all_spellings_of_an_address_are_equal(address: bytes) -> None:
    assert {address.hex(":")} == {normalise_mac(spelling) for spelling in spellings(address)}


@given(ADDRESSES)
def test_normalisation_is_idempotent(address: bytes) -> None:
    once = normalise_mac(address.hex("-"))
    assert once == normalise_mac(once)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("52:54:00:A1:9C:AE", "52:54:00:a1:9c:ae"),
        ("52-54-00-a1-9c-ae", "52:54:00:a1:9c:ae"),
        ("5254.00a1.9cae", "52:54:00:a1:9c:ae"),
        ("525400a19cae", "52:54:00:a1:9c:ae"),
        ("02:00:5e:10:00:00:00:01", "02:00:5e:10:00:00:00:01"),
        ("0000.0000.fe80.0000.0000.0000.0200.5e10.0000.0001", TWENTY),
    ],
)
def test_the_forms_of_parse_mac_are_read(text: str, expected: str) -> None:
    assert expected == normalise_mac(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "52:54:00:a1:9c",
        "52:54:00:a1:9c:ae:00",
        "52:54:00-a1:9c:ae",
        "52:54:00:a1:9c:ag",
        "5:54:00:a1:9c:ae",
        "52:54:00:a1:9c:ae\n",
        " 52:54:00:a1:9c:ae",
        "5254:00a1:9cae",
        "52.54.00.a1.9c.ae",
        "\u0665\u0662:54:00:a1:9c:ae",
        "${mac:hexhyp}",
    ],
)
def test_an_invalid_address_is_an_error_and_no_label(text: str) -> None:
    with pytest.raises(InvalidMACError) as raised:
        normalise_mac(text)
    assert repr(text) in str(raised.value)
    assert {"os": "installed"} == read_query(f"mac={text}&os=installed".replace("\n", "%0A")).labels


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_an_error(text: str) -> None:
    try:
        address = normalise_mac(text)
    except InvalidMACError:
        return
    assert len(bytes.fromhex(address.replace(":", ""))) in (6, 8, 20)


def test_the_first_value_of_a_repeated_key_counts() -> None:
    assert {"os": "a", "zone": ""} == read_query("os=a&zone=&os=b&zone=c").labels


def test_the_first_mac_counts_even_if_it_is_invalid() -> None:
    assert {} == read_query("mac=none&mac=52-54-00-a1-9c-ae").labels


@pytest.mark.parametrize("key", ["mac", "MAC", "Mac", "mAc"])
def test_a_mac_key_in_any_case_holds_an_address(key: str) -> None:
    assert is_mac(key)
    assert {key: "52:54:00:a1:9c:ae"} == read_query(f"{key}=52-54-00-A1-9C-AE").labels


@pytest.mark.parametrize("key", ["mac2", "macs", "ma", "m\u00e4c", ""])
def test_values_of_other_keys_are_not_normalised(key: str) -> None:
    assert not is_mac(key)
    assert {key: "52-54-00-A1-9C-AE"} == read_query(f"{key}=52-54-00-A1-9C-AE").labels


@pytest.mark.parametrize("value", ["${uuid}", "${serial}", "${mac:hexhyp}", "${net0/mac}", "${smbios/0.1.2}", "${}"])
def test_an_unresolved_variable_is_no_label(value: str) -> None:
    assert {"os": "a"} == read_query(f"uuid={value}&os=a").labels
    assert {"os": "a"} == read_query(f"uuid=%24%7B{value[2:-1]}%7D&os=a").labels


@pytest.mark.parametrize("value", ["$uuid", "${uuid}x", "x${uuid}", "{uuid}", "${uuid"])
def test_text_around_a_variable_makes_it_a_label(value: str) -> None:
    assert {"uuid": value} == read_query(f"uuid={value}").labels


def test_labels_keep_the_order_of_the_query() -> None:
    assert ["b", "a", "c"] == list(read_query("b=1&a=2&b=3&c=4").labels)


@given(st.text(st.characters(), max_size=80) | st.text("=&%+;macMAC${}:-.0123456789abcdef\udcff", max_size=80))
def test_any_query_is_read(query: str) -> None:
    assert read_query(query).labels.keys() <= {key for key, _ in parse_query(query)}
