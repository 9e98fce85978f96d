"""The protocol of stores that keep machines' states and the keys of tokens."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.state import MachineState

_KEYS_SECONDS = 300


class ChangedError(Exception):
    """Another writer has changed the machine since it was read: read it again and decide anew."""


def new_revision() -> str:
    """A name for a record that is about to be written, greater than those of earlier ones."""
    return f"{time.time_ns():016x}{os.urandom(4).hex()}"


class MachineStore(Protocol):
    """States of machines. Every method raises StoreUnavailableError when it cannot answer just now."""

    def write(self, before: MachineState | None, after: MachineState) -> None:
        """Replace the state that was read, None if there was none, under every identity of the new one at once.

        Raises ChangedError.
        """

    def keys(self) -> Mapping[int, bytes]:
        """The keys of tokens by the times at which they were made: the newest, and the one before it."""


class EditableMachineStore(MachineStore, Protocol):
    """What operators' commands need beyond that."""

    def write(self, before: MachineState | None, after: MachineState, *, revision: str = "") -> None:
        """As for all; `revision` is that of the same state in another store."""

    def read(self, identity: str) -> MachineState | None:
        """The state under this identity, such as `mac:52:54:00:12:34:56`."""

    def read_all(self, identities: Sequence[str]) -> tuple[MachineState, ...]:
        """The states under these identities, which are distinct, one for each that has one."""

    def find(self, beginning: str) -> list[MachineState]:
        """The machines with an identity that begins so."""

    def all(self) -> Iterator[MachineState]:
        """Every machine that somebody acted on or that got a configuration, once."""

    def delete(self, state: MachineState) -> None:
        """Delete the state under all its identities. Raises ChangedError."""


class TokenKeys:
    """The keys of tokens, kept for five minutes."""

    def __init__(self, machines: MachineStore) -> None:
        self._machines = machines
        self._kept: tuple[int, Mapping[int, bytes]] = (-_KEYS_SECONDS, {})

    def current(self, now: int) -> Mapping[int, bytes]:
        """The keys. Raises StoreUnavailableError, also if there are none."""
        since, keys = self._kept
        # The clock may have been set back.
        if not since <= now < since + _KEYS_SECONDS:
            keys = self._machines.keys()
            if not keys:
                raise StoreUnavailableError("there is no key for tokens: store a group with `token` anew")
            self._kept = (now, keys)
        return keys
