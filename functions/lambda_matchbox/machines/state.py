"""The state of a machine: what an operator decided, and what was delivered. All functions are pure and get the time.

Times are in seconds since 1970; 0 is never.
"""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Literal, NamedTuple, get_args

from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.policy import Policy

StateName = Literal["unknown", "waiting", "ready", "installing", "installed", "held"]
STATES: tuple[StateName, ...] = get_args(StateName)

DELIVERY_SECONDS = 3600
"""How long the address that got a configuration gets it again."""


class Delivery(NamedTuple):
    """The first configuration of a boot: when it was delivered, and to which address.

    Until `until` that address gets configurations again, as installers ask twice; where a token is needed, against one
    with the boot id `boot`.
    """

    time: int
    address: str
    boot: str
    until: int


class MachineState(NamedTuple):
    """One machine's. `boot` is the id of its next boot, which its tokens have.

    `installed` is when its last installation was done, `failed` what the installer said of one that failed. It is
    `approved` as a machine of the group `approved_for`, of any if that is empty. `revision` names the record that it
    was read from, later ones greater than earlier ones; it is empty if there is none.
    """

    identities: Identities
    approved: int = 0
    held: int = 0
    armed_until: int = 0
    boot: str = ""
    delivery: Delivery | None = None
    installed: int = 0
    failed: str = ""
    approved_for: str = ""
    revision: str = ""

    @property
    def id(self) -> str:
        """The identity that names the machine."""
        return self.identities.keys[0]

    def is_approved(self, group: str) -> bool:
        """Whether it need not wait as a machine of that group."""
        return bool(self.approved) and self.approved_for in ("", group)

    def may_install(self, now: int) -> bool:
        """Whether a machine of a group with `once` may install: it never has, or it is armed."""
        return not self.installed or now < self.armed_until


def state_name(state: MachineState | None, policy: Policy | None, group: str, now: int) -> StateName:
    """The state in one word, None if nobody acted on the machine; `group` is empty for a machine of no group."""
    if state is None:
        if not group:
            return "unknown"
        return "waiting" if policy is not None and policy.approve else "ready"
    if state.held:
        return "held"
    if policy is not None and policy.approve and not state.is_approved(group):
        return "waiting"
    if state.delivery is not None and not state.may_install(now):
        return "installed"
    # What `arm` and `unhold` have ended is not under way.
    delivery = state.delivery
    is_under_way = delivery is not None and delivery.until and delivery.time > state.installed
    return "installing" if is_under_way else "ready"


def lacks_records(found: Sequence[MachineState], identities: Sequence[str]) -> bool:
    """Whether one of these identities is that of a found machine, but has no record of its own.

    `found` has one for each identity that has one. A missing one was lost, or is written at this moment.
    """
    if len(found) == len(identities):
        return False
    known = {identity for state in found for identity in state.identities.keys}
    return len(found) < len(known.intersection(identities))


def strictest(records: Iterable[MachineState]) -> MachineState:
    """What holds where the records of one machine disagree: no decision of any of them is lost.

    They do for a moment while one is written, as not all are read at once, and after a damage until `fsck` mends them.
    """
    found = sorted(records, key=attrgetter("revision"))
    newest = found[-1]
    for state in reversed(found[:-1]):
        newest = newest._replace(
            identities=newest.identities.completed(state.identities),
            approved=min(newest.approved, state.approved) if newest.approved_for == state.approved_for else 0,
            held=max(newest.held, state.held),
            armed_until=min(newest.armed_until, state.armed_until),
            installed=max(newest.installed, state.installed),
        )
    return newest


def approved(state: MachineState, now: int, group: str = "") -> MachineState:
    """It need not wait any more as a machine of that group, of any if that is empty."""
    if state.approved and state.approved_for == group:
        return state
    return state._replace(approved=now, approved_for=group)


def armed(state: MachineState, until: int, boot: str) -> MachineState:
    """It installs at its next boot, until that time. `boot` is a new id, so that older tokens end."""
    delivery = state.delivery and state.delivery._replace(until=0)
    return state._replace(armed_until=until, boot=boot, delivery=delivery, failed="")


def held(state: MachineState, now: int) -> MachineState:
    """It gets nothing."""
    return state._replace(held=state.held or now)


def unheld(state: MachineState, boot: str) -> MachineState:
    """It is answered again, but not against tokens from before, for which `boot` is a new id."""
    if not state.held:
        return state
    delivery = state.delivery and state.delivery._replace(until=0)
    return state._replace(held=0, boot=boot, delivery=delivery)


def next_delivery(state: MachineState | None, address: str, now: int, lifetime: int = DELIVERY_SECONDS) -> Delivery:
    """The delivery of a configuration to that address, of the boot with the machine's boot id."""
    return Delivery(now, address, "" if state is None else state.boot, now + lifetime)


def delivered(state: MachineState, delivery: Delivery, policy: Policy, boot: str) -> MachineState:
    """Its configuration was delivered; `boot` is the id of the next boot."""
    done = policy.once and policy.done == "config"
    return state._replace(
        delivery=delivery,
        boot=boot,
        installed=delivery.time if done else state.installed,
        armed_until=0 if done else state.armed_until,
    )


def reported(state: MachineState, now: int, failed: str | None, boot: str) -> MachineState:
    """Its installer has ended: with a message if it failed, None if it did not, for which `boot` is a new id."""
    if failed is not None:
        return state._replace(failed=failed)
    return state._replace(installed=now, armed_until=0, boot=boot, failed="")
