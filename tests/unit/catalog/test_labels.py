"""Labels are read from a query as matchbox reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.catalog.labels import InvalidMACError, is_mac, labels_of, normalise_mac
from lambda_matchbox.golang.http.paths import parse_query

ADDRESSES = st.sampled_from([6, 8, 20]).flatmap(lambda octets: st.binary(min_size=octets, max_size=octets))
TWENTY = "00:00:00:00:fe:80:00:00:00:00:00:00:02:00:5e:10:00:00:00:01"


def spellings(address: bytes) -> list[str]:
    """All ways in which Go's `net.ParseMAC` and matchbox know an address, in both cases."""
    lower = [address.hex(":"), address.hex("-"), address.hex(".", -2), address.hex()]
    return lower + [spelling.upper() for spelling in lower]


@given(ADDRESSES)
def test_all_spellings_are_one_address(address: bytes) -> None:
    """Colons, hyphens, dots or nothing, in either case, spell the same 6, 8 or 20 octets."""
    assert {address.hex(":")} == {normalise_mac(spelling) for spelling in spellings(address)}


@given(ADDRESSES)
def test_normalisation_is_idempotent(address: bytes) -> None:
    """A normalised address stays as it is."""
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
def test_examples(text: str, expected: str) -> None:
    """These are the forms of Go's documentation, and the bare one."""
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
def test_what_is_no_address_is_dropped(text: str) -> None:
    """What does not parse raises an error that shows it, and is no label."""
    with pytest.raises(InvalidMACError) as raised:
        normalise_mac(text)
    assert repr(text) in str(raised.value)
    assert {"os": "installed"} == labels_of(f"mac={text}&os=installed".replace("\n", "%0A"))


@given(st.text(max_size=60))
def test_text_is_an_address_or_an_error(text: str) -> None:
    """Whatever is taken for an address has its normal form in 6, 8 or 20 octets."""
    try:
        address = normalise_mac(text)
    except InvalidMACError:
        return
    assert len(bytes.fromhex(address.replace(":", ""))) in (6, 8, 20)


def test_first_value_counts() -> None:
    """The first value of a repeated key is the label, even where it is empty."""
    assert {"os": "a", "zone": ""} == labels_of("os=a&zone=&os=b&zone=c")


def test_first_mac_counts_even_where_it_does_not_parse() -> None:
    """A second address does not stand in for a first that does not parse."""
    assert {} == labels_of("mac=none&mac=52-54-00-a1-9c-ae")


@pytest.mark.parametrize("key", ["mac", "MAC", "Mac", "mAc"])
def test_mac_in_any_case(key: str) -> None:
    """The key holds an address in any case, and stays as it is written."""
    assert is_mac(key)
    assert {key: "52:54:00:a1:9c:ae"} == labels_of(f"{key}=52-54-00-A1-9C-AE")


@pytest.mark.parametrize("key", ["mac2", "macs", "ma", "m\u00e4c", ""])
def test_other_keys_hold_any_text(key: str) -> None:
    """Another key's value is not normalised."""
    assert not is_mac(key)
    assert {key: "52-54-00-A1-9C-AE"} == labels_of(f"{key}=52-54-00-A1-9C-AE")


@pytest.mark.parametrize("value", ["${uuid}", "${serial}", "${mac:hexhyp}", "${net0/mac}", "${smbios/0.1.2}", "${}"])
def test_unresolved_variable_is_absent(value: str) -> None:
    """A variable that the boot client sent as it stands is no label."""
    assert {"os": "a"} == labels_of(f"uuid={value}&os=a")
    assert {"os": "a"} == labels_of(f"uuid=%24%7B{value[2:-1]}%7D&os=a")


@pytest.mark.parametrize("value", ["$uuid", "${uuid}x", "x${uuid}", "{uuid}", "${uuid"])
def test_what_only_resembles_a_variable_is_a_label(value: str) -> None:
    """Text around a variable makes it a value like any other."""
    assert {"uuid": value} == labels_of(f"uuid={value}")


def test_keys_keep_their_order() -> None:
    """Labels stand in the order in which the query first names them."""
    assert ["b", "a", "c"] == list(labels_of("b=1&a=2&b=3&c=4"))


@given(st.text(st.characters(), max_size=80) | st.text("=&%+;macMAC${}:-.0123456789abcdef\udcff", max_size=80))
def test_any_query_has_labels(query: str) -> None:
    """Any text is read without an error, and each label's key is one of the query's."""
    assert labels_of(query).keys() <= {key for key, _ in parse_query(query)}
