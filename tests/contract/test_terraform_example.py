"""The example of docs/terraform.md, with the provider's calls, in both modes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambda_matchbox.web.wiring import lambda_app
from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.support.balancer_events import assert_response, event
from tests.support.long_timeout import long_timeout
from tests.support.rpc_client import bridge, connected, files_in
from tests.support.rpc_serve import RpcServe, serving_rpc
from tests.support.terraform import Group, Profile, Resource, Terraform
from tests.support.terraform_example import EXAMPLE, example

WORKER = "52:54:00:00:00:01"
LONG = 1_000_000


@pytest.fixture(params=["directory", "moto"])
def served(request: pytest.FixtureRequest, moto_server: Service, tmp_path: Path) -> Iterator[RpcServe]:
    stores = None if request.param == "directory" else new_stores(moto_server, moto_server)
    with serving_rpc(stores, tmp_path) as made:
        yield made


def test_worker_boots_after_apply(served: RpcServe) -> None:
    """The next plan is empty."""
    terraform, wanted = Terraform(served.client), example()
    assert 3 == len(terraform.apply(wanted).create)
    script = served.serve.get(f"/ipxe?mac={WORKER}").body.decode()
    assert script.startswith("#!ipxe\nkernel /assets/flatcar/flatcar_production_pxe.vmlinuz ")
    assert " ignition.config.url=${cwduri}ignition?mac=${mac:hexhyp}\n" in script
    ignition = json.loads(served.serve.get(f"/ignition?mac={WORKER.replace(':', '-')}").body)
    assert json.loads((EXAMPLE / "worker.ign").read_text())["passwd"] == ignition["passwd"]
    assert b"HOSTNAME=worker-1\n" == served.serve.get(f"/generic?mac={WORKER}").body
    assert terraform.plan(wanted).is_empty


def test_function_serves_what_terraform_has_written(moto_server: Service, tmp_path: Path) -> None:
    stores = new_stores(moto_server, moto_server)
    stores.create()
    with long_timeout():
        app = lambda_app(stores.environment() | {"MATCHBOX_LOG_LEVEL": "critical"})
    files = files_in(tmp_path)
    with bridge(stores.environment(), files) as running, connected(running.port, files) as client:
        Terraform(client).apply(example())
        running.end()
    for name in ("worker-ipxe", "worker-ignition", "worker-generic"):
        assert_response(name, app.handle(event(name)))


def test_machine_gets_404_during_a_change(served: RpcServe) -> None:
    """A change is a delete and a put."""
    terraform, wanted = Terraform(served.client), example()
    terraform.apply(wanted)
    changed = [one._replace(kernel="/assets/other") if isinstance(one, Profile) else one for one in wanted]
    plan = terraform.plan(changed)
    assert ([], ["flatcar-worker"], []) == (plan.create, [one.name for one in plan.replace], plan.delete)
    served.client.ok("Profiles/ProfileDelete", {"id": "flatcar-worker"})
    assert 404 == served.serve.get(f"/ipxe?mac={WORKER}").status
    terraform.apply(changed)
    assert b"kernel /assets/other " in served.serve.get(f"/ipxe?mac={WORKER}").body
    assert terraform.plan(changed).is_empty


def test_drift_is_planned_back(served: RpcServe) -> None:
    terraform, wanted = Terraform(served.client), example()
    terraform.apply(wanted)
    served.client.ok("Groups/GroupDelete", {"id": "worker-2"})
    served.client.ok("Generic/GenericPut", {"name": "flatcar-worker"}, config=b"other")
    plan = terraform.plan(wanted)
    assert (["worker-2"], ["flatcar-worker"]) == ([one.name for one in plan.create], [one.name for one in plan.replace])


def test_destroy_leaves_nothing(served: RpcServe) -> None:
    terraform = Terraform(served.client)
    terraform.apply(example())
    terraform.destroy()
    assert ({}, {}) == (served.client.ok("Groups/GroupList"), served.client.ok("Profiles/ProfileList"))
    for service, name in (("Ignition", "flatcar-worker.ign"), ("Generic", "flatcar-worker")):
        assert "Unknown" == served.client.call(f"{service}/{service}Get", {"name": name}).code
    assert 404 == served.serve.get(f"/ipxe?mac={WORKER}").status


def test_documents_of_1_mb_round_trip(served: RpcServe) -> None:
    wanted: list[Resource] = [
        Profile("long", "/assets/vmlinuz", generic_config="{{.host}}" + "x" * LONG),
        Group("long", "long", {"os": "long"}, {"host": "h", "note": "n" * LONG}),
    ]
    terraform = Terraform(served.client)
    terraform.apply(wanted)
    assert terraform.plan(wanted).is_empty
    assert str(LONG + 1) == served.serve.get("/generic?os=long", method="HEAD").headers["content-length"]
    assert 1 == len(served.client.ok("Groups/GroupList")["groups"])
    terraform.destroy()


def test_documentation_shows_the_example() -> None:
    text = (EXAMPLE.parents[1] / "docs" / "terraform.md").read_text()
    assert (EXAMPLE / "main.tf").read_text() in text
