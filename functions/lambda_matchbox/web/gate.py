"""The one place that asks the gate (`machines.gate`), before any route renders anything for a machine with a policy."""

import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from lambda_matchbox.answers import report, verdicts
from lambda_matchbox.errors import NotFoundError, RefusedError, StoreUnavailableError, WaitingError
from lambda_matchbox.http import Request, Response
from lambda_matchbox.machines.gate import MachineRequest, RequestKind, Verdict, verdict
from lambda_matchbox.machines.policy import Policy
from lambda_matchbox.machines.state import MachineState, delivered, next_delivery, reported
from lambda_matchbox.machines.stores import ChangedError, MachineStore, TokenKeys
from lambda_matchbox.machines.tokens import token_for
from lambda_matchbox.web.failures import error_response
from lambda_matchbox.web.machine import Machine

if TYPE_CHECKING:
    from lambda_matchbox.catalog.labels import Query
    from lambda_matchbox.web.routes import MachineRoute

TWO_ADDRESSES = "the request names two MAC addresses"

_ATTEMPTS = 4
_SCRIPTS = ("/ipxe", "/grub")


class Gate:
    """Responds to machines of groups with a boot policy. `clock` returns seconds since 1970."""

    def __init__(self, machines: MachineStore, clock: Callable[[], float]) -> None:
        self._machines = machines
        self._keys = TokenKeys(machines)
        self._clock = clock

    def respond(
        self,
        route: "MachineRoute",
        request: Request,
        machine: Machine,
        policy: Policy,
        again: "Callable[[Query, str], Machine]",
    ) -> tuple[Response, Verdict]:
        """The response, and why the machine gets it. `again` selects the machine of a query and an address anew."""
        for _ in range(_ATTEMPTS):
            now = int(self._clock())
            keys = self._keys.current(now) if policy.token else {}
            found = _asked(policy, route, request, machine, keys, now)
            if found.kind != "allow":
                return _not_allowed(found, policy, route, machine), found
            if policy.token and route.name in _SCRIPTS:
                machine = machine._replace(variables=_variables(found, request, machine, keys, now))
            response = route.respond(machine)
            try:
                if route.name == report.ROUTE:
                    self._record_report(found, machine, now)
                elif found.first and _delivers(policy, route, request):
                    self._record(found, policy, request.client_address, now)
            except ChangedError:
                # Another request of the machine, or an operator, was faster.
                machine = again(machine.query, request.client_address)
            else:
                return response, found
        raise StoreUnavailableError("the machine's state keeps changing")

    def _record(self, found: Verdict, policy: Policy, address: str, now: int) -> None:
        state = found.state or MachineState(found.machine)
        # Identities are added, never replaced: another UUID must not make the known one a new machine's.
        state = state._replace(identities=state.identities.completed(found.machine))
        after = delivered(state, next_delivery(found.state, address, now), policy, secrets.token_hex(8))
        self._machines.write(found.state, after)

    def _record_report(self, found: Verdict, machine: Machine, now: int) -> None:
        if found.state is not None:
            failed = report.failure_in(machine.query)
            self._machines.write(found.state, reported(found.state, now, failed))


def _kind_of(route: "MachineRoute") -> RequestKind:
    if route.name == report.ROUTE:
        return "report"
    return "script" if route.name in _SCRIPTS else "configuration"


def _delivers(policy: Policy, route: "MachineRoute", request: Request) -> bool:
    """Whether a response is a delivery: neither HEAD nor a signature is."""
    return (policy.once or policy.token) and route.sign is None and request.method != "HEAD"


def _asked(
    policy: Policy, route: "MachineRoute", request: Request, machine: Machine, keys: Mapping[int, bytes], now: int
) -> Verdict:
    if (named := machine.named) is None:
        return Verdict("refuse", TWO_ADDRESSES)
    group = machine.selection.group.id
    asked = MachineRequest(named, request.client_address, group, _kind_of(route), machine.token)
    return verdict(policy, machine.selection.machines, asked, keys, now)


def _variables(
    found: Verdict, request: Request, machine: Machine, keys: Mapping[int, bytes], now: int
) -> dict[str, str]:
    """What a script sets, for the addresses of configurations."""
    boot = "" if found.state is None else found.state.boot
    token = token_for(keys, found.machine, machine.selection.group.id, boot, now)
    return {"token": token, "base": f"{request.origin}/"}


def _not_allowed(found: Verdict, policy: Policy, route: "MachineRoute", machine: Machine) -> Response:
    if route.name not in _SCRIPTS:
        return error_response((WaitingError if found.kind == "wait" else RefusedError)(found.reason))
    if found.kind == "wait":
        return verdicts.waiting(route.name, found.machine, machine.selection.group.id, machine.query.raw)
    if found.kind == "disk":
        script = verdicts.from_disk(route.name, found.machine, policy.on_disk)
        return error_response(NotFoundError(found.reason)) if script is None else script
    return verdicts.refused(route.name, found.reason)
