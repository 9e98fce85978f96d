"""The limits of connections, with a clock of the test's own."""

import io
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from lambda_matchbox.web.json_log import JsonLog
from matchboxctl.serve.connections import Connections


@dataclass(eq=False)
class Client:
    """A connection that records whether it was ended."""

    address: str = "192.0.2.1"
    aborted: bool = False

    def abort(self) -> None:
        self.aborted = True


@dataclass
class Limited:
    """Connections of which three may be open, two from an address."""

    now: float = 1000.0
    log: io.StringIO = field(default_factory=io.StringIO)

    def __post_init__(self) -> None:
        self.connections = Connections(3, 2, JsonLog("info", self.log), lambda: self.now)

    def opened(self, address: str = "192.0.2.1") -> tuple[Client, bool]:
        client = Client(address)
        return client, self.connections.opened(client)

    def refused(self) -> list[dict[str, Any]]:
        return [json.loads(line)["refused"] for line in self.log.getvalue().splitlines()]


def test_third_connection_of_an_address_is_refused_until_one_ends() -> None:
    limited = Limited()
    (first, _), (_, second) = limited.opened(), limited.opened()
    third, accepted = limited.opened()
    assert (second, accepted) == (True, False)
    limited.connections.closed(third)
    assert limited.opened("192.0.2.2")[1]
    limited.connections.closed(first)
    assert limited.opened()[1]


def test_oldest_waiting_connection_makes_room() -> None:
    limited = Limited()
    busy, idle, newer = (limited.opened(f"192.0.2.{number}")[0] for number in range(3))
    limited.connections.request_begun(busy)
    assert limited.opened("192.0.2.9")[1]
    assert [False, True, False] == [client.aborted for client in (busy, idle, newer)]


def test_idle_connection_counts_as_new_after_a_response() -> None:
    limited = Limited()
    first, second, third = (limited.opened(f"192.0.2.{number}")[0] for number in range(3))
    limited.connections.request_begun(first)
    limited.connections.request_ended(first)
    limited.opened("192.0.2.9")
    assert [False, True, False] == [client.aborted for client in (first, second, third)]


def test_connection_is_refused_while_all_have_requests() -> None:
    limited = Limited()
    for number in range(3):
        client, _ = limited.opened(f"192.0.2.{number}")
        limited.connections.request_begun(client)
    assert not limited.opened("192.0.2.9")[1]


@pytest.mark.parametrize(("seconds", "ended"), [(10, False), (10.1, True)])
def test_head_has_ten_seconds(seconds: float, ended: bool) -> None:
    """The first one, and the next one after a response, however long that took."""
    limited = Limited()
    first, _ = limited.opened()
    later, _ = limited.opened("192.0.2.2")
    limited.connections.request_begun(later)
    limited.now += seconds
    limited.connections.sweep()
    assert (ended, False) == (first.aborted, later.aborted)
    limited.connections.request_ended(later)
    limited.now += seconds
    limited.connections.sweep()
    assert ended == later.aborted


@pytest.mark.parametrize(
    ("addresses", "accepted"),
    [
        (["2001:db8::1", "2001:db8::2", "2001:db8::3"], False),
        (["2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:0:3::1"], True),
        (["::ffff:192.0.2.1", "::ffff:192.0.2.2", "::ffff:192.0.2.3"], True),
        (["fe80::1%eth0", "fe80::2%eth0", "fe80::3%eth0"], False),
    ],
)
def test_ipv6_addresses_of_a_network_count_as_one(addresses: list[str], accepted: bool) -> None:
    limited = Limited()
    assert [True, True, accepted] == [limited.opened(address)[1] for address in addresses]


def test_response_to_a_closed_connection_leaves_nothing_behind() -> None:
    limited = Limited()
    client, _ = limited.opened()
    limited.connections.request_begun(client)
    limited.connections.closed(client)
    limited.connections.request_ended(client)
    assert not limited.connections.is_waiting(client)


def test_refusals_are_logged_once_a_minute() -> None:
    limited = Limited()
    for seconds in (0, 1, 58, 1):
        limited.now += seconds
        for _ in range(5):
            limited.opened()
        limited.connections.sweep()
    reason = "over 2 connections from one address"
    assert [{reason: 3}, {reason: 15}] == limited.refused()
