"""The gate over every store: operators' decisions and boots of several machines, in any order and at the same time."""

import re
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.aws.machines import TableMachines
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.labels import read_query
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.http import Request, Response
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.policy import Policy
from lambda_matchbox.machines.state import MachineState, approved, armed, held, unheld
from lambda_matchbox.machines.stores import EditableMachineStore
from lambda_matchbox.web.alb import BODY_LIMIT
from lambda_matchbox.web.route import MachineRoute
from lambda_matchbox.web.routes import Routes, Stores
from matchboxctl.directory.machine_states import DirectoryMachines
from tests.contract.conftest import ON_DYNAMODB, MakeTable
from tests.rigs.catalog_table import ENOUGH
from tests.support.memory_catalog import MemoryCatalog
from tests.support.memory_releases import MemoryFiles, MemoryReleases

NewStore: TypeAlias = Callable[[ExitStack], EditableMachineStore]
START = 1_700_000_000
HOME, ELSEWHERE = "10.0.0.5", "10.0.0.6"
NODES = tuple(
    Identities(f"52:54:00:00:00:0{number}", f"4c4c4544-0038-4410-8052-b3c04f4b593{number}") for number in (1, 2)
)
FRESH = "52:54:00:00:00:ff"
HOUR, TOKEN_LIFE = 3600, 4200


@pytest.fixture(params=["directory", *ON_DYNAMODB])
def new_store(request: pytest.FixtureRequest, made: MakeTable) -> NewStore:
    def directory(opened: ExitStack) -> EditableMachineStore:
        root = Path(opened.enter_context(TemporaryDirectory()))
        return opened.enter_context(closing(DirectoryMachines(root, lambda: START)))

    def table(opened: ExitStack) -> EditableMachineStore:
        new = opened.enter_context(closing(made(request.getfixturevalue(request.param))))
        new.fill(Group("g", profile="p", boot=Policy(token=True)))
        return TableMachines(new.dynamodb(), new.name, call_timeout=ENOUGH)

    return directory if request.param == "directory" else table


class Server:
    """The routes of a group with this policy, over a store of machines."""

    def __init__(self, machines: EditableMachineStore, policy: Policy) -> None:
        self.now = START
        self.machines = machines
        profile = Profile("p", generic_id="t", boot=NetBoot("/assets/k"))
        group = Group("g", profile="p", boot=policy)
        catalog = MemoryCatalog([group], [profile], {("generic", "t"): b"secret"}, machines=self._states)
        stores = Stores(catalog, MemoryFiles({}), MemoryReleases(), None, machines)
        self._routes = Routes(stores, Delivery(BODY_LIMIT, "-"), clock=lambda: self.now)

    def _states(self, identities: object) -> list[MachineState]:
        assert isinstance(identities, tuple)
        return [state for one in identities if (state := self.machines.read(one)) is not None]

    def send(self, path: str, named: Identities, address: str, token: str = "") -> Response:
        labels = {name: value for name, value in {**named._asdict(), "token": token}.items() if value}
        request = Request("GET", path, urlencode(labels), {"host": "h", "x-forwarded-for": address})
        route = self._routes.find(request)
        assert isinstance(route, MachineRoute)
        machine = self._routes.select(read_query(request.raw_query), address)
        return self._routes.respond(route, request, machine)[0]

    def token(self, named: Identities) -> str:
        found = re.search(r"^set token (\S+)$", self.send("/ipxe", named, HOME).body.decode(), re.MULTILINE)
        assert found is not None
        return found[1]


def test_one_of_two_addresses_gets_the_configuration(new_store: NewStore) -> None:
    with ExitStack() as opened:
        server = Server(new_store(opened), Policy(once=True, token=True))
        token = server.token(NODES[0])
        found: list[tuple[str, int]] = []
        together = threading.Barrier(50)

        def send(address: str) -> None:
            together.wait()
            found.append((address, server.send("/generic", NODES[0], address, token).status))

        threads = [threading.Thread(target=send, args=(HOME if n % 2 else ELSEWHERE,)) for n in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        addresses = {address for (address, status) in found if status == 200}
        assert len(addresses) == 1
        (other,) = {HOME, ELSEWHERE} - addresses
        assert not set(found) - {
            (other, 403),
            *((one, 200) for one in addresses),
            *((one, 503) for one in (HOME, ELSEWHERE)),
        }


class Known:
    """What a machine has to get, told without its state: `epoch` counts what ends its tokens."""

    def __init__(self) -> None:
        self.approved = self.held = self.installed = self.uuid_known = False
        self.acted_on = False
        self.armed_until = self.epoch = 0
        self.delivered: tuple[int, str, int] | None = None
        """The epoch of the token, the address, and when the address gets nothing more."""

    def may_install(self, now: int) -> bool:
        return not self.installed or now < self.armed_until


class Boots(RuleBasedStateMachine):
    """Machines of a group with `approve`, `once` and `token`, their operator, and somebody at another address."""

    opened: ExitStack
    new_store: NewStore

    def __init__(self) -> None:
        super().__init__()
        self.opened = ExitStack()
        self.server = Server(type(self).new_store(self.opened), Policy(approve=True, once=True, token=True))
        self.known = {node: Known() for node in NODES}
        self.tokens: list[tuple[str, Identities, int, int]] = []

    def teardown(self) -> None:
        self.opened.close()

    def _change(self, node: Identities, change: Callable[[MachineState], MachineState]) -> Known:
        """An operator's change of the machine, who names it by its MAC address."""
        before = self.server.machines.read(node.keys[0])
        self.server.machines.write(before, change(before or MachineState(Identities(mac=node.mac))))
        self.known[node].acted_on = True
        return self.known[node]

    @rule(node=st.sampled_from(NODES), group=st.sampled_from(("", "g", "other")))
    def approve(self, node: Identities, group: str) -> None:
        known = self._change(node, lambda state: approved(state, self.server.now, group))
        known.approved = group != "other"

    @rule(node=st.sampled_from(NODES), seconds=st.sampled_from((60, HOUR)))
    def arm(self, node: Identities, seconds: int) -> None:
        until = self.server.now + seconds
        known = self.known[node]
        known.epoch += 1
        self._change(node, lambda state: armed(state, until, f"armed {known.epoch}"))
        known.armed_until, known.delivered = until, None

    @rule(node=st.sampled_from(NODES))
    def hold(self, node: Identities) -> None:
        self._change(node, lambda state: held(state, self.server.now)).held = True

    @rule(node=st.sampled_from(NODES))
    def unhold(self, node: Identities) -> None:
        known = self.known[node]
        if known.held:
            known.epoch += 1
            known.held, known.delivered = False, None
        self._change(node, lambda state: unheld(state, f"unheld {known.epoch}"))

    @rule(seconds=st.sampled_from((30, 700, 2 * HOUR)))
    def wait(self, seconds: int) -> None:
        self.server.now += seconds

    @rule(node=st.sampled_from(NODES), shown=st.sampled_from(("both", "mac", "uuid", "fresh")))
    def boot(self, node: Identities, shown: str) -> None:
        """A script for the machine, or for one that shows its UUID with another MAC address."""
        known, script = self.known[node], self.server.send("/ipxe", _shown(node, shown), HOME).body.decode()
        is_new = shown in ("uuid", "fresh") and not known.uuid_known
        if shown == "fresh" and known.uuid_known:
            assert "is another machine's" in script
        elif known.held and not is_new:
            assert "it is held" in script
        elif is_new or not known.approved:
            assert "waits for approval" in script
        elif not known.may_install(self.server.now):
            assert "boots from its disk" in script
        else:
            assert "kernel /assets/k" in script
            token = re.search(r"^set token (\S+)$", script, re.MULTILINE)
            assert token is not None
            if shown == "both":
                self.tokens.append((token[1], node, known.epoch, self.server.now))

    @rule(data=st.data(), address=st.sampled_from((HOME, ELSEWHERE)))
    def configure(self, data: st.DataObject, address: str) -> None:
        """A configuration for some machine, with some token that was given out."""
        if not self.tokens:
            return
        token, owner, epoch, made = data.draw(st.sampled_from(self.tokens))
        node = data.draw(st.sampled_from(NODES))
        shown = data.draw(st.sampled_from(("both", "mac", "uuid", "none")))
        response = self.server.send("/generic", _shown(node, shown), address, token)
        known, now = self.known[owner], self.server.now
        is_own = (node == owner or shown == "none") and not known.held and known.approved
        is_first = epoch == known.epoch and now < made - made % 600 + TOKEN_LIFE and known.may_install(now)
        repeats = known.delivered is not None and known.delivered[:2] == (epoch, address) and now < known.delivered[2]
        repeats = repeats and now < made - made % 600 + TOKEN_LIFE
        assert (response.status == 200) == (is_own and (is_first or repeats))
        if response.status == 200 and not repeats:
            known.delivered = (epoch, address, now + HOUR)
            known.epoch += 1
            known.installed, known.armed_until = True, 0
            known.uuid_known = known.uuid_known or shown in ("both", "uuid")


def _shown(node: Identities, shown: str) -> Identities:
    return {
        "both": node,
        "mac": Identities(mac=node.mac),
        "uuid": Identities(uuid=node.uuid),
        "fresh": node._replace(mac=FRESH),
        "none": Identities(),
    }[shown]


def test_no_order_of_boots_and_decisions_gets_past_the_gate(new_store: NewStore) -> None:
    machine = type("BootsOnStore", (Boots,), {"new_store": staticmethod(new_store)})
    few = settings(max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=[*HealthCheck])
    run_state_machine_as_test(machine, settings=few)
