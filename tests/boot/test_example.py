"""A boot from `examples/talos`."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.boot.clients import CLIENTS, boot, powered_on
from tests.boot.example import assert_configured, write_example
from tests.boot.fleet import identity
from tests.boot.networks import Servers
from tests.boot.store_serving import serving_stores
from tests.rigs.program import free_port
from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.support.serving import serving

pytestmark = [pytest.mark.boot, pytest.mark.nightly]

MACHINE = identity(8)
PREFIX = "/matchbox/examples"


@pytest.fixture
def from_directory(tmp_path: Path) -> Iterator[Servers]:
    write_example(tmp_path / "data")
    with serving(tmp_path / "data") as port:
        yield Servers(port)


@pytest.fixture
def from_stores(dynamodb_local: Service, versitygw: Service, moto_server: Service, tmp_path: Path) -> Iterator[Servers]:
    """Its secrets are parameters."""
    write_example(tmp_path / "data")
    stores = new_stores(dynamodb_local, versitygw)
    stores.fill(tmp_path / "data")
    secrets = tmp_path / "data" / "secrets"
    with closing(moto_server.client("ssm")) as client:
        for file in secrets.rglob("talos/**/*"):
            if file.is_file():
                name = f"{PREFIX}/{file.relative_to(secrets)}"
                client.put_parameter(Name=name, Value=file.read_text(), Type="SecureString", Overwrite=True)
    parameters = {"MATCHBOX_SECRETS": PREFIX, "AWS_ENDPOINT_URL_SSM": moto_server.endpoint}
    with serving_stores(stores, free_port(), more=parameters) as servers:
        yield servers


@pytest.mark.parametrize("mode", ["from_directory", "from_stores"])
def test_example_boots_unedited(mode: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """The machine fetches the configuration of `talos.config=`, with its own UUID and its cluster's secrets."""
    servers: Servers = request.getfixturevalue(mode)
    scratch = tmp_path / "machine"
    scratch.mkdir()
    result = boot(CLIENTS["arm64"], servers, MACHINE, scratch)
    assert_configured(result.configuration, MACHINE, tmp_path / "data")


def test_machine_retries_until_its_secrets_exist(tmp_path: Path) -> None:
    """Its console shows the beginning of the reason meanwhile."""
    data, scratch = tmp_path / "data", tmp_path / "machine"
    scratch.mkdir()
    write_example(data)
    (data / "secrets").rename(tmp_path / "secrets")
    with serving(data) as port, powered_on(CLIENTS["arm64"], Servers(port), MACHINE, scratch) as machine:
        machine.wait_for("retrying: status 500: \"template 'cozystack-config.yaml'\"")
        (tmp_path / "secrets").rename(data / "secrets")
        result = machine.result()
    assert_configured(result.configuration, MACHINE, data)
