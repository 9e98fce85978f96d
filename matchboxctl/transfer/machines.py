"""Machines' states from a data directory into a table, or back. Nothing is ever removed, and the newer state stays."""

import sys
from collections.abc import Iterable, Mapping

from lambda_matchbox.aws.clients.dynamodb_json import Item
from lambda_matchbox.aws.machines import machine_state_in
from lambda_matchbox.aws.parallel import in_parallel
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.state import MachineState, strictest
from lambda_matchbox.machines.stores import ChangedError, EditableMachineStore
from matchboxctl.cli.plurals import counted
from matchboxctl.cli.progress import Progress
from matchboxctl.cli.warnings import Warnings
from matchboxctl.transfer.differences import Differences, Report

_MAX_NAMED = 20
_ATTEMPTS = 5


def copy_states(
    states: Iterable[MachineState],
    target: EditableMachineStore,
    warnings: Warnings,
    report: Report,
    *,
    dry_run: bool,
) -> None:
    """Write the states into the target, and report that. Raises StoreUnavailableError."""
    transfer = _Transfer(states, target, warnings)
    report.add(transfer.differences if dry_run else transfer.carry_out(), names=dry_run)
    if transfer.kept:
        print(f"note: {transfer.kept_ones()}", file=sys.stderr)


class _Transfer:
    """What becomes of `states` in the store `target`. A state keeps the revision that it has at its source."""

    def __init__(self, states: Iterable[MachineState], target: EditableMachineStore, warnings: Warnings) -> None:
        self._target = target
        self._warnings = warnings
        self.kept: set[str] = set()
        """Machines whose state in the target is newer, and stays."""
        known = {identity: state for state in target.all() for identity in state.identities.keys}
        self._changes: dict[str, MachineState] = {}
        added: list[str] = []
        changed: list[str] = []
        count = 0
        for state in states:
            count += 1
            name = state.id.partition(":")[2]
            before = [known[identity] for identity in state.identities.keys if identity in known]
            if self._newer(name, state, before) is not None:
                self._changes[name] = state
                (changed if before else added).append(name)
        self.differences = Differences(
            "machines",
            added=sorted(added),
            changed=sorted(changed),
            removed=[],
            unchanged=count - len(self._changes),
            prefix="machine ",
        )

    def carry_out(self) -> Differences:
        """Write the states; returns the differences that were made. Raises StoreUnavailableError."""
        failed: set[str] = set()

        def write(name: str) -> None:
            if not self._write(name, self._changes[name]):
                failed.add(name)

        with Progress("writing states", len(self._changes), "machines") as progress:
            for _ in in_parallel(write, list(self._changes), progress.cancel):
                progress.add(1)
        return self.differences.without(failed)

    def kept_ones(self) -> str:
        """The machines that are left as they are."""
        named = sorted(self.kept)[:_MAX_NAMED]
        more = ", …" if len(self.kept) > len(named) else ""
        return f"{counted(len(self.kept), 'machine')} changed later there, and left so: {', '.join(named)}{more}"

    def _write(self, name: str, state: MachineState) -> bool:
        for _ in range(_ATTEMPTS):
            found = (self._target.read(identity) for identity in state.identities.keys)
            before = [one for one in found if one is not None]
            after = self._newer(name, state, before)
            if after is None:
                return False
            try:
                self._target.write(before[0] if before else None, after, revision=_revision(state, after))
            except ChangedError:
                continue
            return True
        self._warnings.warn(f"machine {name}: its state keeps changing; run the same command again")
        return False

    def _newer(self, name: str, state: MachineState, before: Iterable[MachineState]) -> MachineState | None:
        """What to write in place of the states that its identities have there; None to leave them."""
        found = set(before)
        if not found:
            return state
        known = found.pop()
        pairs = zip(known.identities, state.identities, strict=True)
        if found or any(theirs and mine and theirs != mine for theirs, mine in pairs):
            self._warnings.warn(f"machine {name}: its identities are another machine's there; forget one of them")
            return None
        # An installation is never undone, so that one which the newer state does not know was made elsewhere.
        after = state._replace(
            identities=state.identities.completed(known.identities), installed=max(state.installed, known.installed)
        )
        if after._replace(revision="") == known._replace(revision=""):
            return None
        if known.revision > state.revision:
            self.kept.add(name)
        return after if known.revision < state.revision else None


def _revision(state: MachineState, after: MachineState) -> str:
    """The state's own, or none if something was added to it."""
    return state.revision if after == state else ""


def states_in(items: Mapping[str, Item], warnings: Warnings) -> list[MachineState]:
    """The states in a table's items, by their keys; warns of damaged ones."""
    found: dict[str, list[MachineState]] = {}
    for item in items.values():
        try:
            state = machine_state_in(item)
        except StoreUnavailableError as error:
            warnings.warn(str(error))
            continue
        found.setdefault(state.id, []).append(state)
    return [strictest(records) for records in found.values()]
