import pytest

from lambda_matchbox.machines.identities import AmbiguousMachineError, Identities, identities_in, identity

UUID = "4c4c4544-0038-4410-8052-b3c04f4b5931"


def test_identities_are_normalised() -> None:
    labels = {"mac": "52:54:00:12:34:56", "uuid": UUID.upper(), "serial": " 8D2RKY1 ", "hostname": "n1"}
    assert identities_in(labels) == Identities("52:54:00:12:34:56", UUID, "8D2RKY1")


def test_the_first_identity_names_the_machine() -> None:
    assert Identities("52:54:00:12:34:56", UUID).keys == ("mac:52:54:00:12:34:56", f"uuid:{UUID}")
    assert Identities(serial="x").keys == ("serial:x",)
    assert Identities().keys == ()


@pytest.mark.parametrize(
    "labels",
    [
        {"uuid": "00000000-0000-0000-0000-000000000000"},
        {"uuid": "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"},
        {"uuid": "03000200-0400-0500-0006-000700080009"},
        {"uuid": "node1"},
        {"serial": "To Be Filled By O.E.M."},
        {"serial": "  "},
        {"serial": "ä" * 65},
        {"mac": ""},
        {"hostname": "n1"},
    ],
)
def test_placeholders_are_no_identity(labels: dict[str, str]) -> None:
    assert identities_in(labels) == Identities()


def test_two_mac_addresses_are_refused() -> None:
    one = "52:54:00:12:34:56"
    assert identities_in({"mac": one, "MAC": one}).mac == one
    with pytest.raises(AmbiguousMachineError):
        identities_in({"mac": one, "MAC": "52:54:00:00:00:01"})


@pytest.mark.parametrize("text", ["52-54-00-12-34-56", "5254.0012.3456", "525400123456", "52:54:00:12:34:56"])
def test_a_mac_address_has_many_spellings(text: str) -> None:
    assert identity(text) == Identities(mac="52:54:00:12:34:56")


def test_what_is_no_address_is_a_uuid_or_a_serial_number() -> None:
    assert identity(UUID.upper()) == Identities(uuid=UUID)
    assert identity("8D2RKY1") == Identities(serial="8D2RKY1")
