"""The rules that hold between the records of machines: each identity has one, and all of a machine's are the same.

They hold for items read at one moment, as those of `fsck.rules`. What does not hold is mended so that no machine may do
more than before: of several records the strictest holds, and what cannot be read becomes a machine that is held.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

from lambda_matchbox.aws.clients.dynamodb_json import Item
from lambda_matchbox.aws.fsck.rules import Finding, Kind
from lambda_matchbox.aws.keys import MACHINE, machine_key
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.records import DamagedRecordError, state_in
from lambda_matchbox.machines.state import MachineState, strictest


class MachineDamage(NamedTuple):
    """What is wrong with the machine of that id, or with the record of an identity that is no machine's.

    `keys` are the items to look at again, `mended` the state that all its records should have.
    """

    id: str
    findings: list[Finding]
    keys: frozenset[str]
    mended: MachineState


def machine_damage(items: Mapping[str, Item], now: int) -> Iterator[MachineDamage]:
    """The damage among these items, by their keys; `now` in seconds since 1970."""
    records = {key.removeprefix(MACHINE): _state_of(item) for key, item in items.items()}
    machines: dict[str, set[MachineState]] = {}
    for identity, state in records.items():
        if state is not None and identity in state.identities.keys:
            machines.setdefault(state.id, set()).add(state)
    merged = {machine_id: strictest(states) for machine_id, states in machines.items()}
    owners = _owners(records, merged)
    for machine_id, states in machines.items():
        state = merged[machine_id]
        own = {identity for identity in state.identities.keys if owners[identity] == machine_id}
        findings = [*_findings(machine_id, state, states, owners, records)]
        if findings and own:
            named = {identity for one in states for identity in one.identities.keys}
            others = [found for identity in own if (found := records.get(identity)) is not None]
            mended = strictest(one._replace(identities=_only(state.identities, own)) for one in [state, *others])
            yield MachineDamage(machine_id, findings, frozenset(map(machine_key, named)), mended)
    for identity, found in records.items():
        if identity not in owners:
            yield _stray(identity, found, now)


def _state_of(item: Item) -> MachineState | None:
    with suppress(DamagedRecordError, KeyError):
        return state_in(item["state"], item["rev"])
    return None


def _owners(records: Mapping[str, MachineState | None], machines: Mapping[str, MachineState]) -> dict[str, str]:
    """The id of the machine that each identity is of: the one whose record it has, else the newest that names it."""
    owners: dict[str, str] = {}
    for machine_id, state in sorted(machines.items(), key=lambda one: one[1].revision):
        owners |= dict.fromkeys(state.identities.keys, machine_id)
    for identity, found in records.items():
        if found is not None and found.id in machines and identity in machines[found.id].identities.keys:
            owners[identity] = found.id
    return owners


def _findings(
    machine_id: str,
    state: MachineState,
    states: set[MachineState],
    owners: Mapping[str, str],
    records: Mapping[str, MachineState | None],
) -> Iterator[Finding]:
    if len(states) > 1:
        yield Finding(Kind.WRONG, f"the records of machine {machine_id} differ; --repair keeps the strictest of each")
    for identity in state.identities.keys:
        if (owner := owners[identity]) != machine_id:
            text = f"{identity} is an identity of two machines, {machine_id} and {owner}"
            yield Finding(Kind.WRONG, f"{text}; --repair leaves it to the second, and the first is refused with it")
        elif identity not in records:
            yield Finding(Kind.MISSING, f"machine {machine_id} has no record under {identity}, and cannot be changed")
        elif (found := records[identity]) is None:
            text = f"the record of machine {machine_id} under {identity} is damaged: it gets a 503"
            yield Finding(Kind.UNREADABLE, f"{text}; --repair writes it as its other records are")
        elif identity not in found.identities.keys:
            text = f"the record of machine {machine_id} under {identity} is one of {found.id}, which has it no more"
            yield Finding(Kind.WRONG, f"{text}; --repair writes it as the first's other records are")


def _stray(identity: str, found: MachineState | None, now: int) -> MachineDamage:
    """A record that no machine has: a damaged one without another, or one that a forgotten machine left."""
    kind, _, value = identity.partition(":")
    if found is None:
        text = f"the record under {identity} is damaged, and there is no other of its machine, which gets a 503"
    else:
        text = f"the record under {identity} is left of machine {found.id}, which has this identity no more"
    then = f"then `matchboxctl machine forget {value} --state` removes it, or `machine unhold` and `arm` admit it"
    finding = Finding(
        Kind.UNREADABLE if found is None else Kind.WRONG, f"{text}; --repair holds whoever names it, and {then}"
    )
    named = Identities(**{kind: value}) if kind in Identities._fields else Identities(serial=identity)
    mended = MachineState(named, held=now, installed=now)
    keys = {identity, *(() if found is None else found.identities.keys)}
    return MachineDamage(identity, [finding], frozenset(map(machine_key, keys)), mended)


def _only(identities: Identities, kept: set[str]) -> Identities:
    return Identities(**{kind: value for kind, value in identities._asdict().items() if f"{kind}:{value}" in kept})
