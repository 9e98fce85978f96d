"""Terraform's provider itself, by OpenTofu, against both modes: the example of the docs, faults, what drifts."""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.rigs.faults import SLOW_DOWN, THROTTLED, Fault, Refuse
from tests.rigs.matchbox_clients import tofu
from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.support.rpc_client import bridge, rpc_port
from tests.support.rpc_serve import RpcServe, serving_rpc
from tests.support.terraform import Group, Profile, Resource
from tests.support.terraform_example import EXAMPLE
from tests.support.terraform_faults import away, bridged, fleet
from tests.support.tofu_runs import TofuRuns

pytestmark = [pytest.mark.real, pytest.mark.nightly]

WORKER = "52:54:00:00:00:01"


@pytest.fixture(params=["directory", "store"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RpcServe]:
    services = ("dynamodb_local", "versitygw")
    with serving_rpc(
        None if request.param == "directory" else new_stores(*map(request.getfixturevalue, services)), tmp_path
    ) as made:
        yield made


@pytest.fixture
def runs(tmp_path: Path) -> TofuRuns:
    directory = tmp_path / "configuration"
    directory.mkdir()
    return TofuRuns(tofu(), directory)


def test_the_example(served: RpcServe, tmp_path: Path) -> None:
    """The documentation's example, with its file names and all: applied, changed and destroyed."""
    directory = tmp_path / "example"
    shutil.copytree(EXAMPLE, directory)
    main = directory / "main.tf"
    main.write_text(main.read_text().replace("127.0.0.1:8081", f"127.0.0.1:{rpc_port(served.serve)}"))
    for name, content in (
        ("ca.crt", served.files.authority.certificate),
        ("client.crt", served.files.client.certificate),
        ("client.key", served.files.client.key),
    ):
        (directory / name).write_bytes(content)
    runs = TofuRuns(tofu(), directory)
    runs.ok("init")
    runs.apply()
    assert [] == runs.plan()
    assert served.serve.get(f"/ipxe?mac={WORKER}").body.startswith(b"#!ipxe\nkernel /assets/flatcar/")
    assert b"HOSTNAME=worker-1\n" == served.serve.get(f"/generic?mac={WORKER}").body
    main.write_text(main.read_text().replace("first_boot=1", "first_boot=detected"))
    assert [("replace", "flatcar-worker")] == runs.plan()
    runs.apply()
    assert [] == runs.plan()
    assert b" flatcar.first_boot=detected " in served.serve.get(f"/ipxe?mac={WORKER}").body
    runs.destroy()
    assert ({}, {}) == (served.client.ok("Groups/GroupList"), served.client.ok("Profiles/ProfileList"))
    assert 404 == served.serve.get(f"/ipxe?mac={WORKER}").status


def test_drift(served: RpcServe, runs: TofuRuns) -> None:
    """What others have deleted or changed is planned back; what the provider does not send is no difference."""
    wanted = fleet(6)
    runs.configure(wanted, rpc_port(served.serve), served.files)
    runs.apply()
    served.client.ok("Groups/GroupDelete", {"id": "node-0"})
    served.client.ok("Ignition/IgnitionPut", {"name": "worker-1.ign"}, config=b"other")
    named = served.client.ok("Profiles/ProfileGet", {"id": "worker-2"})["profile"] | {"name": "a name", "cloud_id": "c"}
    served.client.ok("Profiles/ProfilePut", {"profile": named})
    assert {("create", "node-0"), ("replace", "worker-1")} == set(runs.plan())
    runs.apply()
    assert [] == runs.plan()
    assert "a name" == served.client.ok("Profiles/ProfileGet", {"id": "worker-2"})["profile"]["name"]


def test_odd_profiles(served: RpcServe, runs: TofuRuns) -> None:
    """A profile without files of its own, every argument at once, and odd letters stay as they were put."""
    odd = "<&>\"'\u2028 é ${mac}"
    argument = odd.replace("\u2028", "")  # it would begin a line of the boot script
    wanted: list[Resource] = [
        Profile("bare"),
        Profile("full", "/k", ("/i1", "/i2"), (argument,), container_linux_config="{{.x}}", generic_config=odd),
        Group("full", "full", {"os": odd}, {"x": odd, "empty": ""}),
        Group("default", "bare"),
    ]
    runs.configure(wanted, rpc_port(served.serve), served.files)
    runs.apply()
    assert [] == runs.plan()
    runs.destroy()


def test_policies(served: RpcServe, runs: TofuRuns) -> None:
    """A boot policy is a key of the metadata, as jsonencode writes it, and differs from nothing that was put."""
    policy = {"approve": True, "from": ["127.0.0.0/8"], "once": True, "token": True}
    gated = Group("gated", "p", {"mac": WORKER}, {"matchbox_boot": json.dumps(policy, separators=(",", ":")), "a": "b"})
    for group in (gated, gated._replace(metadata={"a": "b"}), gated):
        runs.configure([Profile("p", "/k"), group], rpc_port(served.serve), served.files)
        runs.apply()
        assert [] == runs.plan()
        waits = b"waits for approval" in served.serve.get(f"/ipxe?mac={WORKER}").body
        assert waits == ("matchbox_boot" in group.metadata)
    assert 503 == served.serve.get(f"/metadata?mac={WORKER}").status
    runs.destroy()


@pytest.mark.parametrize(
    ("which", "fault"),
    [("table", Refuse()), ("table", THROTTLED), ("bucket", Refuse()), ("bucket", SLOW_DOWN)],
    ids=["table away", "table throttling", "bucket away", "bucket slowing down"],
)
def test_faults(
    dynamodb_local: Service, versitygw: Service, tmp_path: Path, runs: TofuRuns, which: str, fault: Fault
) -> None:
    """A table or a bucket that fails for 10 s in an apply, a plan and a destroy of 60 resources costs only time."""
    with bridged(dynamodb_local, versitygw, tmp_path) as rig:
        proxy = rig.table if which == "table" else rig.bucket
        runs.configure(fleet(60), rig.running.port, rig.files)
        with away(proxy, fault, 12, 10.0):
            runs.apply()
        assert 60 == len(runs.state())
        assert [] == runs.plan()
        # Another one has read nothing of the bucket yet.
        with bridge(rig.environment, rig.files) as later:
            runs.configure(fleet(60), later.port, rig.files)
            with away(proxy, fault, 5, 10.0):
                assert [] == runs.plan()
            later.end()
        runs.configure(fleet(60), rig.running.port, rig.files)
        if which == "table":
            with away(proxy, fault, 90, 10.0):
                runs.destroy()
        else:
            runs.destroy()
        assert ({}, {}) == (rig.client.ok("Groups/GroupList"), rig.client.ok("Profiles/ProfileList"))
        rig.running.end()


def test_two_at_once(dynamodb_local: Service, versitygw: Service, tmp_path: Path) -> None:
    """Two runs at a time, by bridges of their own, on groups that share selectors lose none of each other's."""
    with (
        bridged(dynamodb_local, versitygw, tmp_path) as rig,
        bridge(rig.environment, rig.files) as second,
        ThreadPoolExecutor() as threads,
    ):
        both = []
        for name, port in (("a", rig.running.port), ("b", second.port)):
            directory = tmp_path / name
            directory.mkdir()
            runs = TofuRuns(tofu(), directory)
            groups = [Group(f"{name}-{number}", name, {"os": f"o{number % 4}"}) for number in range(30)]
            runs.configure([Profile(name), *groups], port, rig.files)
            both.append(runs)
        list(threads.map(TofuRuns.apply, both))
        assert [[], []] == list(threads.map(TofuRuns.plan, both))
        assert 60 == len(rig.client.ok("Groups/GroupList")["groups"])
        second.end()
        rig.running.end()
