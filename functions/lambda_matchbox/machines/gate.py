"""The gate decides what a machine of a group with a boot policy gets, before anything is rendered for it."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from ipaddress import IPv6Address, ip_address, ip_network
from itertools import combinations
from typing import Literal, NamedTuple

from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.policy import Policy
from lambda_matchbox.machines.state import Delivery, MachineState, strictest
from lambda_matchbox.machines.tokens import Token, TokenError, verify

_IPV6_SITE = 64


RequestKind = Literal["script", "configuration", "report"]


class MachineRequest(NamedTuple):
    """What the gate knows of a request: the machine that it names, from where, and for what.

    `token` is the one that it has, not verified, or what is wrong with it; None if it has none.
    """

    named: Identities
    address: str
    group: str
    kind: RequestKind
    token: Token | TokenError | None = None


class Verdict(NamedTuple):
    """What the machine gets, and why unless it is allowed. `machine` is empty if it cannot be told.

    `state` is the machine's, None if nobody acted on it yet. An allowed configuration is a delivery, which is recorded
    before the response is sent: the first one if `first`.
    """

    kind: Literal["allow", "wait", "disk", "refuse"]
    reason: str = ""
    machine: Identities = Identities()
    state: MachineState | None = None
    first: bool = False


def verdict(
    policy: Policy,
    states: Sequence[MachineState],
    request: MachineRequest,
    keys: Mapping[int, bytes],
    now: int,
) -> Verdict:
    """What the machine gets. `states` may be of other machines too, `keys` are those of tokens."""
    machine = request.named
    if policy.token and request.kind != "script" and isinstance(request.token, Token):
        # Elsewhere nobody verifies the token.
        machine = machine.completed(request.token.machine)
    if not any(machine):
        return Verdict("refuse", "the request names no MAC address, UUID or serial number")
    state = states[0] if states else None
    # The records nearly always agree, with each other and with the request.
    if state is not None and (state.identities != machine or states.count(state) < len(states)):
        asked = set(machine.keys)
        found = [one for one in dict.fromkeys(states) if not asked.isdisjoint(one.identities.keys)]
        if (conflict := _conflict(found, machine)) is not None:
            return Verdict("refuse", conflict, machine)
        state = strictest(found) if found else None
        if state is not None:
            machine = machine.completed(state.identities)
    refusal = _refusal(policy, state, request)
    if refusal:
        return Verdict("refuse", refusal, machine, state)
    if policy.approve and (state is None or not state.is_approved(request.group)):
        return Verdict("wait", "it waits for approval", machine, state)
    if request.kind == "report":
        return _reported(policy, state, request, machine, keys)
    if request.kind == "script" or not policy.token:
        return _without_token(policy, state, request, machine, now)
    return _with_token(policy, state, request, machine, keys, now)


def _conflict(found: list[MachineState], machine: Identities) -> str | None:
    """Why the identities cannot be one machine's."""
    # One machine's records differ while an identity is added to it: they are not read at once.
    if len(found) > 1 and not all(
        one.same_machine(other) for one, other in combinations([state.identities for state in found], 2)
    ):
        return "its identities are those of several machines"
    if any(state.identities.conflict(machine) for state in found):
        return "one of its identities is another machine's"
    return None


def _refusal(policy: Policy, state: MachineState | None, request: MachineRequest) -> str:
    if state is not None and state.held:
        return "it is held"
    if policy.from_networks and not _is_in(request.address, policy.from_networks):
        return f"{request.address or 'its address'} is in none of the networks of its group"
    return ""


def _without_token(
    policy: Policy, state: MachineState | None, request: MachineRequest, machine: Identities, now: int
) -> Verdict:
    delivery = None if state is None else state.delivery
    if not policy.once or state is None or state.may_install(now):
        first = delivery is None or not _repeats(delivery, request, now)
        return Verdict("allow", machine=machine, state=state, first=first and request.kind == "configuration")
    if request.kind == "configuration" and delivery is not None and _repeats(delivery, request, now):
        return Verdict("allow", machine=machine, state=state)
    return Verdict("disk", "it is installed", machine, state)


def _reported(
    policy: Policy, state: MachineState | None, request: MachineRequest, machine: Identities, keys: Mapping[int, bytes]
) -> Verdict:
    """A report belongs to the last delivery, however long ago that was, unless an operator has ended its token."""
    refuse = partial(Verdict, "refuse", machine=machine, state=state)
    if state is None or state.delivery is None or not state.delivery.until:
        return refuse("no configuration was delivered to it")
    if not _same_site(state.delivery.address, request.address):
        return refuse("its configuration was delivered to another address")
    if policy.token:
        if not isinstance(request.token, Token):
            return refuse("the request has no token" if request.token is None else str(request.token))
        try:
            verify(request.token, keys, request.named, request.group, state.delivery.boot, now=0)
        except TokenError as error:
            return refuse(str(error))
    return Verdict("allow", machine=machine, state=state)


def _with_token(
    policy: Policy,
    state: MachineState | None,
    request: MachineRequest,
    machine: Identities,
    keys: Mapping[int, bytes],
    now: int,
) -> Verdict:
    if request.token is None:
        return Verdict("refuse", "the request has no token", machine, state)
    if isinstance(request.token, TokenError):
        return Verdict("refuse", str(request.token), machine, state)
    boot, delivery = ("", None) if state is None else (state.boot, state.delivery)
    check = partial(verify, request.token, keys, request.named, request.group, now=now)
    if delivery is not None and now < delivery.until:
        with suppress(TokenError):
            check(delivery.boot)
            if _same_site(delivery.address, request.address):
                return Verdict("allow", machine=machine, state=state)
            return Verdict("refuse", "the token was used from another address", machine, state)
    try:
        check(boot)
    except TokenError as error:
        return Verdict("refuse", str(error), machine, state)
    if policy.once and state is not None and not state.may_install(now):
        # The script is of a time when it might.
        return Verdict("disk", "it is installed", machine, state)
    return Verdict("allow", machine=machine, state=state, first=True)


def _repeats(delivery: Delivery, request: MachineRequest, now: int) -> bool:
    return now < delivery.until and _same_site(delivery.address, request.address)


def _is_in(address: str, networks: Iterable[str]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed in ip_network(network) for network in networks)


def _same_site(one: str, other: str) -> bool:
    """Whether two addresses are equal; of IPv6 ones the first 64 bits count, as hosts change the others."""
    if one == other:
        return bool(one)
    try:
        return ip_address(other) in ip_network(f"{ip_address(one).exploded}/{_IPV6_SITE}", strict=False) and ":" in one
    except ValueError:
        return False
