"""Terraform while table and bucket are unavailable, slow or throttling for a while."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.rigs.faults import FORBIDDEN, INTERNAL_ERROR, SLOW_DOWN, THROTTLED, Delay, Fault, Hang, Refuse, Respond
from tests.rigs.service import Service
from tests.rigs.tcp_fault import FaultProxy
from tests.support.rpc_client import LIMIT, bridge, connected
from tests.support.terraform import Group, Resource, Terraform
from tests.support.terraform_faults import LONG, Rig, away, bridged, fleet


def rarely(fault: Fault) -> ParameterSet:
    return pytest.param(fault, marks=pytest.mark.nightly)


def name(fault: Fault) -> str:
    return fault.reason if isinstance(fault, Respond) else repr(fault)


@pytest.fixture(params=["moto_server", pytest.param("dynamodb_local", marks=pytest.mark.real)])
def rig(request: pytest.FixtureRequest, moto_server: Service, tmp_path: Path) -> Iterator[Rig]:
    with bridged(request.getfixturevalue(request.param), moto_server, tmp_path) as made:
        yield made


def check_nothing_is_lost(rig: Rig, proxy: FaultProxy, fault: Fault, seconds: float) -> None:
    """Apply 60 resources, plan with another server, and destroy, each with an outage in the middle."""
    wanted, terraform = fleet(60), Terraform(rig.client)
    with away(proxy, fault, 12, seconds):
        terraform.apply(wanted)
    assert 60 == len(terraform.state)
    # Another one has read nothing of the bucket yet.
    with bridge(rig.environment, rig.files) as running, connected(running.port, rig.files) as client:
        later = Terraform(client, terraform.state)
        with away(proxy, fault, 5, seconds):
            assert later.plan(wanted).is_empty
        assert 30 == len(client.ok("Groups/GroupList")["groups"])
        assert 30 == len(client.ok("Profiles/ProfileList")["profiles"])
        running.end()
    if proxy is rig.table:
        with away(proxy, fault, 90, seconds):
            terraform.destroy()
        assert ({}, {}) == (rig.client.ok("Groups/GroupList"), rig.client.ok("Profiles/ProfileList"))
    rig.running.end()


@pytest.mark.parametrize("rig", ["moto_server"], indirect=True)
def test_short_outage_of_table(rig: Rig) -> None:
    check_nothing_is_lost(rig, rig.table, Refuse(), 1.0)


@pytest.mark.parametrize("rig", ["moto_server"], indirect=True)
def test_short_outage_of_bucket(rig: Rig) -> None:
    """Long templates are there."""
    check_nothing_is_lost(rig, rig.bucket, SLOW_DOWN, 1.0)


@pytest.mark.real
@pytest.mark.parametrize("rig", ["dynamodb_local"], indirect=True)
@pytest.mark.parametrize("fault", [THROTTLED, *map(rarely, (Refuse(), Hang(), Delay(7), INTERNAL_ERROR))], ids=name)
def test_outage_of_table(rig: Rig, fault: Fault) -> None:
    check_nothing_is_lost(rig, rig.table, fault, 10.0)


@pytest.mark.real
@pytest.mark.parametrize("rig", ["dynamodb_local"], indirect=True)
@pytest.mark.parametrize("fault", [*map(rarely, (SLOW_DOWN, Refuse(), Hang(), Delay(7), INTERNAL_ERROR))], ids=name)
def test_outage_of_bucket(rig: Rig, fault: Fault) -> None:
    check_nothing_is_lost(rig, rig.bucket, fault, 10.0)


@pytest.mark.parametrize("rig", ["moto_server"], indirect=True)
def test_refusals_of_aws_are_not_retried(rig: Rig) -> None:
    rig.table.switch(FORBIDDEN)
    calls = [
        rig.client.call("Groups/GroupGet", {"id": "g"}),
        rig.client.call("Groups/GroupList"),
        rig.client.call("Groups/GroupDelete", {"id": "g"}),
        rig.client.call("Groups/GroupPut", {"group": {"id": "g", "profile": "p"}}),
        rig.client.call("Profiles/ProfilePut", {"profile": {"id": "p"}}),
        rig.client.call("Ignition/IgnitionPut", {"name": "t"}),
        rig.client.call("Select/SelectGroup"),
    ]
    why = "AccessDeniedException (HTTP status 400): not authorized to perform this"
    assert [("Unavailable", why)] * len(calls) == [(call.code, call.message) for call in calls]


def test_limits_of_dynamodb_are_named(rig: Rig) -> None:
    for call, words in (
        (rig.client.call("Groups/GroupPut", {"group": {"id": "n" * 2047, "profile": "p"}}), "longer than a key may be"),
        (rig.client.call("Profiles/ProfilePut", {"profile": {"id": "p", "name": "n" * 410_000}}), "(400 KB)"),
    ):
        assert "InvalidArgument" == call.code
        assert words in call.message
    assert "Unknown" == rig.client.call("Groups/GroupGet", {"id": "n" * 2047}).code


@pytest.mark.parametrize("rig", ["moto_server"], indirect=True)
def test_template_with_lost_object_can_be_replaced_or_deleted(rig: Rig) -> None:
    body = b"x" * LONG
    for again in (True, False):
        rig.client.ok("Generic/GenericPut", {"name": "t"}, config=body)
        with closing(rig.buckets.client("s3")) as s3:
            (listed,) = s3.list_objects_v2(Bucket=rig.environment["MATCHBOX_BUCKET"])["Contents"]
            s3.delete_object(Bucket=rig.environment["MATCHBOX_BUCKET"], Key=listed["Key"])
        got = rig.client.call("Generic/GenericGet", {"name": "t"}, timeout=10)
        assert ("Unavailable", True) == (got.code, "the bucket lacks" in got.message)
        if not again:
            rig.client.ok("Generic/GenericDelete", {"name": "t"})


@pytest.mark.parametrize("rig", ["moto_server"], indirect=True)
def test_reason_precedes_deadline_and_end_of_server(rig: Rig) -> None:
    rig.table.switch(INTERNAL_ERROR)
    for method, request in (("Profiles/ProfileGet", {"id": "p"}), ("Profiles/ProfilePut", {"profile": {"id": "p"}})):
        got = rig.client.hurried(method, request, "500")
        assert "Unavailable" == got.code
        assert "500" in got.message
    with ThreadPoolExecutor() as threads:
        before = rig.table.requests()
        waiting = threads.submit(rig.client.call, "Groups/GroupGet", {"id": "g"})
        end = time.monotonic() + LIMIT
        while rig.table.requests() == before and time.monotonic() < end:
            time.sleep(0.01)
        rig.running.end()
        got = waiting.result()
    assert ("Unavailable", True) == (got.code, "500" in got.message)


def test_concurrent_runs_lose_nothing(rig: Rig) -> None:
    """On disjoint resources with shared selectors."""
    with bridge(rig.environment, rig.files) as running, connected(running.port, rig.files) as other:
        wanted: list[list[Resource]] = [
            [Group(f"{name}-{number}", "p", {"os": f"o{number % 4}"}) for number in range(30)] for name in "ab"
        ]
        terraforms = [Terraform(rig.client), Terraform(other)]
        threads = [
            threading.Thread(target=terraform.apply, args=(groups,))
            for terraform, groups in zip(terraforms, wanted, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [True, True] == [
            terraform.plan(groups).is_empty for terraform, groups in zip(terraforms, wanted, strict=True)
        ]
        assert 60 == len(other.ok("Groups/GroupList")["groups"])
        assert "a-0" == other.ok("Select/SelectGroup", {"labels": {"os": "o0"}})["group"]["id"]
        running.end()
