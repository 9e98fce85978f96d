"""Keys of tokens, as servers keep them."""

from collections.abc import Mapping

import pytest

from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.state import MachineState
from lambda_matchbox.machines.stores import TokenKeys


class Counted:
    """A store with these keys, which counts how often they are read."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        self.reads = 0
        self._keys = keys

    def write(self, before: MachineState | None, after: MachineState) -> None:
        raise AssertionError((before, after))

    def keys(self) -> Mapping[int, bytes]:
        self.reads += 1
        return self._keys


def test_keys_are_read_once_in_five_minutes() -> None:
    """And when the clock was set back."""
    store = Counted({1: b"k"})
    keys = TokenKeys(store)
    for now, reads in ((0, 1), (1000, 2), (1001, 2), (1299, 2), (1300, 3), (1599, 3), (900, 4)):
        assert keys.current(now) == {1: b"k"}
        assert store.reads == reads


def test_no_key_is_not_kept() -> None:
    store = Counted({})
    keys = TokenKeys(store)
    for reads in (1, 2):
        with pytest.raises(StoreUnavailableError):
            keys.current(1000)
        assert store.reads == reads
