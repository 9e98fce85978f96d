"""The one place that asks the gate (`machines.gate`), before any route renders anything for a machine with a policy."""

import os
import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from lambda_matchbox.answers import report, verdicts
from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.catalog.labels import Query
from lambda_matchbox.errors import NotFoundError, RefusedError, StoreUnavailableError, WaitingError
from lambda_matchbox.http import Request, Response
from lambda_matchbox.machines.gate import MachineRequest, RequestKind, Verdict, verdict
from lambda_matchbox.machines.policy import Policy
from lambda_matchbox.machines.state import (
    MachineState,
    delivered,
    lacks_records,
    next_delivery,
    reported,
    state_name,
)
from lambda_matchbox.machines.stores import ChangedError, MachineStore, TokenKeys
from lambda_matchbox.machines.tokens import token_for
from lambda_matchbox.secrets.function import stored_in
from lambda_matchbox.secrets.stores import SecretStore
from lambda_matchbox.web.failures import error_response
from lambda_matchbox.web.machine import Machine
from lambda_matchbox.web.route import MachineRoute

TWO_ADDRESSES = "the request names two MAC addresses"

_ATTEMPTS = 4
_KINDS: Mapping[str, RequestKind] = {"/ipxe": "script", "/grub": "script", report.ROUTE: "report"}
# What is asked for by another method would be handed out unrecorded.
_METHODS: Mapping[RequestKind, tuple[str, ...]] = {
    "configuration": ("GET", "HEAD"),
    "report": ("GET", "HEAD", "POST"),
}
_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_DELIVERED = (200, 206, 302)
_NO_HOST = "the Host header of its request is no host name"
_NO_METHOD = "the method of its request is not answered"


class Outcome(NamedTuple):
    """The verdict's kind and reason, and the machine's state in a word after it, empty if it cannot be told."""

    kind: Literal["allow", "wait", "disk", "refuse"]
    reason: str
    state: str


class Gate:
    """Responds to machines of groups with a boot policy; see `Routes` for `clock` and `base_url`."""

    def __init__(
        self, machines: MachineStore, secret_store: SecretStore, clock: Callable[[], float], base_url: str = ""
    ) -> None:
        self._machines = machines
        self._secrets = stored_in(secret_store)
        self._keys = TokenKeys(machines)
        self._clock = clock
        self._base_url = base_url

    def respond(
        self,
        route: MachineRoute,
        request: Request,
        machine: Machine,
        policy: Policy,
        again: Callable[[Query, str], Machine],
        deliver: Callable[[Request, Response], Response],
    ) -> tuple[Response, Outcome]:
        """The response as the client gets it, and why. `again` selects the machine of a query and an address anew."""
        kind = _KINDS.get(route.name, "configuration")
        for attempt in range(_ATTEMPTS):
            if attempt:
                # Another request of the machine, or an operator, was faster.
                machine = again(machine.query, machine.address)
                if machine.selection.group.boot is None:
                    raise StoreUnavailableError("the machine's group has just changed")
                policy = machine.selection.group.boot
            states = machine.selection.machines
            if states and lacks_records(states, machine.identities):
                continue
            now = int(self._clock())
            keys = self._current_keys(now) if policy.token else {}
            found = _asked(policy, kind, request, machine, keys, now)
            if found.kind == "allow" and policy.token and not _HOST.fullmatch(request.headers.get("host", "")):
                # Scripts have it in them.
                found = found._replace(kind="refuse", reason=_NO_HOST)
            if found.kind != "allow":
                return _not_allowed(found, policy, route, machine), _outcome(found, found.state, machine, now)
            if policy.token:
                machine = self._with_token(kind, request, machine, found, keys, now)
            made = route.respond(machine)
            response = deliver(request, made if route.sign is None else route.sign(made))
            if response is not made:
                response = response._replace(report=made.report, release=made.release)
            if kind == "script":
                return response, _outcome(found, found.state, machine, now)
            try:
                state = self._record_what_is_sent(route, request, response, found, policy, machine, now)
            except ChangedError:
                continue
            if request.method == "HEAD" and route.sign is None and kind == "configuration":
                # The balancer would drop the body, but it is not recorded.
                response = response._replace(body=b"")
            return response, _outcome(found, state, machine, now)
        raise StoreUnavailableError("the machine's state keeps changing, or lacks the record of an identity")

    def _with_token(
        self, kind: RequestKind, request: Request, machine: Machine, found: Verdict, keys: Mapping[int, bytes], now: int
    ) -> Machine:
        """The machine with the variables of its script, or the secrets of its configuration."""
        if kind == "script":
            base = f"{self._base_url or request.origin}/"
            return machine.with_variables(_variables(found, base, machine, keys, now))
        return machine.with_secrets(self._secrets) if kind == "configuration" else machine

    def _current_keys(self, now: int) -> Mapping[int, bytes]:
        try:
            return self._keys.current(now)
        except AWSError as error:
            raise StoreUnavailableError(f"the keys of tokens: {error}") from error

    def _record_what_is_sent(
        self,
        route: MachineRoute,
        request: Request,
        response: Response,
        found: Verdict,
        policy: Policy,
        machine: Machine,
        now: int,
    ) -> MachineState | None:
        """Record a delivery or a report, and return the state then.

        HEAD and signatures are neither, nor is what is not sent.
        """
        if request.method == "HEAD" or route.sign is not None or response.status not in _DELIVERED:
            return found.state
        if route.name == report.ROUTE:
            return self._record_report(found, machine, now)
        if found.first and (policy.once or policy.token):
            return self._record(found, policy, machine.address, now)
        return found.state

    def _record(self, found: Verdict, policy: Policy, address: str, now: int) -> MachineState:
        state = found.state or MachineState(found.machine)
        # Identities are added, never replaced: another UUID must not make the known one a new machine's.
        state = state._replace(identities=state.identities.completed(found.machine))
        after = delivered(state, next_delivery(found.state, address, now), policy, os.urandom(8).hex())
        self._write(found.state, after)
        return after

    def _record_report(self, found: Verdict, machine: Machine, now: int) -> MachineState | None:
        if found.state is None:
            return None
        after = reported(found.state, now, report.failure_in(machine.query), os.urandom(8).hex())
        self._write(found.state, after)
        return after

    def _write(self, before: MachineState | None, after: MachineState) -> None:
        try:
            self._machines.write(before, after)
        except AWSError as error:
            raise StoreUnavailableError(f"the machine's state: {error}") from error


def _outcome(found: Verdict, state: MachineState | None, machine: Machine, now: int) -> Outcome:
    if found.kind == "refuse" and state is None:
        # It may not be the machine that it names.
        return Outcome(found.kind, found.reason, "")
    group = machine.selection.group
    return Outcome(found.kind, found.reason, state_name(state, group.boot, group.id, now))


def _asked(
    policy: Policy, kind: RequestKind, request: Request, machine: Machine, keys: Mapping[int, bytes], now: int
) -> Verdict:
    if (named := machine.named) is None:
        return Verdict("refuse", TWO_ADDRESSES)
    if kind != "script" and request.method not in _METHODS[kind]:
        return Verdict("refuse", _NO_METHOD)
    asked = MachineRequest(named, machine.address, machine.selection.group.id, kind, machine.token)
    return verdict(policy, machine.selection.machines, asked, keys, now)


def _variables(found: Verdict, base: str, machine: Machine, keys: Mapping[int, bytes], now: int) -> dict[str, str]:
    """What a script sets, for the addresses of configurations."""
    boot = "" if found.state is None else found.state.boot
    token = token_for(keys, found.machine, machine.selection.group.id, boot, now)
    return {"token": token, "base": base}


def _not_allowed(found: Verdict, policy: Policy, route: MachineRoute, machine: Machine) -> Response:
    if _KINDS.get(route.name) != "script":
        return error_response((WaitingError if found.kind == "wait" else RefusedError)(found.reason))
    script: Response | None = verdicts.refused(route.name, found.reason)
    if found.kind == "wait":
        script = verdicts.waiting(route.name, found.machine, machine.selection.group, machine.query.raw)
    elif found.kind == "disk":
        script = verdicts.from_disk(route.name, found.machine, policy.on_disk)
    if script is None:
        return error_response(NotFoundError(found.reason))
    return script if route.sign is None else route.sign(script)
