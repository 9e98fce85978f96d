import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.catalog.labels import read_query
from lambda_matchbox.machines.identities import MAX_SERIAL, Identities, identities_in
from lambda_matchbox.machines.tokens import LIFETIME, TokenError, read_token, token_for, verify

NOW = 1_700_000_000
KEYS = {NOW - 86_400: b"a" * 32, NOW - 3600: b"b" * 32}
NODE = Identities("52:54:00:12:34:56", "4c4c4544-0038-4410-8052-b3c04f4b5931", "8D2RKY1")
OTHER = Identities("52:54:00:00:00:01", "4c4c4544-0038-4410-8052-b3c04f4b5932", "8D2RKY2")


def refusal(text: str, named: Identities = NODE, group: str = "g", boot: str = "b", now: int = NOW) -> str:
    with pytest.raises(TokenError) as caught:
        verify(read_token(text), KEYS, named, group, boot, now)
    return str(caught.value)


def token(machine: Identities = NODE, group: str = "g", boot: str = "b", now: int = NOW) -> str:
    return token_for(KEYS, machine, group, boot, now)


SERIALS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=60).filter(
    lambda serial: bool(identities_in({"serial": serial}).serial)
)
MACHINES = st.builds(
    Identities,
    st.sampled_from(("", NODE.mac)),
    st.sampled_from(("", NODE.uuid)),
    st.just("") | SERIALS,
).filter(lambda machine: bool(machine.keys))


@given(MACHINES, st.text(), st.text(), st.sets(st.sampled_from(Identities._fields)))
def test_a_token_is_good_for_any_identity_of_its_machine(
    machine: Identities, group: str, boot: str, hidden: set[str]
) -> None:
    read = read_token(token(machine, group, boot))
    verify(read, KEYS, machine._replace(**dict.fromkeys(hidden, "")), group, boot, NOW)
    assert read.machine.keys == machine.keys[:1]


def test_a_token_is_short_and_safe_in_an_address() -> None:
    made = token()
    assert len(made) == 50
    assert made.replace("-", "").replace("_", "").isalnum()
    longest = Identities(serial="x" * MAX_SERIAL)
    assert {"token": token(longest)} == read_query(f"token={token(longest)}").labels


def test_a_token_is_equal_for_ten_minutes() -> None:
    step = NOW - NOW % 600
    assert token(now=step) == token(now=step + 599) != token(now=step + 600)


@pytest.mark.parametrize("named", [OTHER, NODE._replace(uuid=OTHER.uuid), NODE._replace(serial=OTHER.serial)])
def test_a_token_of_another_machine_is_refused(named: Identities) -> None:
    assert refusal(token(), named) == "the token is of another machine"


def test_a_token_names_every_identity() -> None:
    made = token(Identities(mac=NODE.mac))
    assert refusal(made, NODE) == "the token is of another machine"


@pytest.mark.parametrize("change", [{"group": "h"}, {"boot": "c"}])
def test_a_token_of_another_group_or_boot_is_refused(change: dict[str, str]) -> None:
    assert refusal(token(), **change) == "the token is not of this boot of this machine"


def test_a_token_ends() -> None:
    verify(read_token(token()), KEYS, NODE, "g", "b", NOW + LIFETIME - 1)
    assert refusal(token(), now=NOW + LIFETIME + 600) == "the token has ended"


def test_a_token_of_the_key_before_is_good_and_of_a_removed_one_is_not() -> None:
    for made, key in KEYS.items():
        verify(read_token(token_for({made: key}, NODE, "g", "b", NOW)), KEYS, NODE, "g", "b", NOW)
        forged = token_for({made: b"c" * 32}, NODE, "g", "b", NOW)
        assert refusal(forged) == "the token is not of this boot of this machine"
    assert refusal(token_for({1: b"c" * 32}, NODE, "g", "b", NOW)) == "the token is not of this boot of this machine"


def test_a_new_key_is_used_after_ten_minutes() -> None:
    new = {NOW: b"n" * 32}
    assert token_for(KEYS | new, NODE, "g", "b", NOW) == token()
    later = NOW + 600
    assert token_for(KEYS | new, NODE, "g", "b", later) == token_for(new, NODE, "g", "b", later)
    assert token_for(new, NODE, "g", "b", NOW) == token_for(new, NODE, "g", "b", NOW)


@given(st.data())
def test_no_other_text_is_a_token(data: st.DataObject) -> None:
    good = token()
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    at = data.draw(st.integers(0, len(good) - 1))
    changed = data.draw(
        st.sampled_from([good[:at], good + "A", good[:at] + data.draw(st.sampled_from(letters)) + good[at + 1 :]])
        | st.text(max_size=80)
    )
    if changed != good:
        refusal(changed)


@pytest.mark.parametrize("serial", ["\x1b]0;pwn", "   ", "To be filled by O.E.M.", " x"])
def test_no_token_names_what_is_no_identity(serial: str) -> None:
    with pytest.raises(TokenError):
        read_token(token(Identities(serial=serial)))
