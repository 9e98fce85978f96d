"""The keys of tokens over months, in every store."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import pytest

from lambda_matchbox.aws.machines import TableMachines
from lambda_matchbox.aws.token_keys import make_first_key, replace_old_key
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.tokens import KEY_LIFETIME, KEY_SIZE, TokenError, read_token, token_for, verify
from matchboxctl.directory.machine_states import DirectoryMachines
from tests.contract.conftest import ON_DYNAMODB, MakeTable
from tests.rigs.catalog_table import ENOUGH

KeysAt: TypeAlias = Callable[[int], Mapping[int, bytes]]
"""The keys that servers read at a time, after what is due then."""

NODE = Identities("52:54:00:12:34:56")
START = 1_700_000_000
KEPT = 300


@pytest.fixture(params=["directory", *ON_DYNAMODB])
def keys_at(request: pytest.FixtureRequest, made: MakeTable, tmp_path: Path) -> Iterator[KeysAt]:
    if request.param == "directory":
        now = START
        with closing(DirectoryMachines(tmp_path, lambda: now)) as machines:

            def in_directory(moment: int) -> Mapping[int, bytes]:
                nonlocal now
                now = moment
                return machines.keys()

            yield in_directory
        return
    with closing(made(request.getfixturevalue(request.param))) as table:
        store = TableMachines(table.dynamodb(), table.name, call_timeout=ENOUGH)
        replace_old_key(table.light, START)
        assert not store.keys()
        make_first_key(table.client, table.name, START)

        def in_table(moment: int) -> Mapping[int, bytes]:
            make_first_key(table.client, table.name, moment)
            replace_old_key(table.light, moment)
            return store.keys()

        yield in_table


def test_a_key_is_replaced_each_month_and_kept_for_another(keys_at: KeysAt) -> None:
    found = [keys_at(START + days * 24 * 3600) for days in (0, 29, 30, 59, 60)]
    first, second, third = START, START + KEY_LIFETIME, START + 2 * KEY_LIFETIME
    assert [{first}, {first}, {first, second}, {first, second}, {second, third}] == [set(keys) for keys in found]
    assert {KEY_SIZE} == {len(key) for keys in found for key in keys.values()}
    assert found[0][first] == found[2][first]
    assert found[2][second] == found[4][second]


@pytest.mark.parametrize("age", [0, 1, 599, 3599])
def test_a_new_key_ends_no_boot_under_way(keys_at: KeysAt, age: int) -> None:
    """Servers learn of it within five minutes, and at different times."""
    change = START + KEY_LIFETIME
    before, after = keys_at(START), keys_at(change)
    token = read_token(token_for(before, NODE, "g", "b", change - age))
    verify(token, after, NODE, "g", "b", change - age + 3600)
    for made_with, read_with in ((after, before), (before, after)):
        for moment in (change, change + KEPT):
            verify(read_token(token_for(made_with, NODE, "g", "b", moment)), read_with, NODE, "g", "b", moment)
    with pytest.raises(TokenError):
        verify(token, keys_at(change + KEY_LIFETIME), NODE, "g", "b", change - age)
