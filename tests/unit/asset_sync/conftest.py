"""The function, on a table and a bucket of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lambda_matchbox.aws.table_and_bucket import create_bucket, create_table
from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.support.registry_serving import faulty_registry
from tests.unit.asset_sync.sync_function import Clients, Function


@pytest.fixture(scope="module")
def clients(moto_server: Service) -> Iterator[Clients]:
    """Clients are slow to make."""
    made = Clients(moto_server.client("dynamodb"), moto_server.client("s3"))
    yield made
    for client in made:
        client.close()


@pytest.fixture
def function(
    moto_server: Service, clients: Clients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Function]:
    stores = new_stores(moto_server, moto_server)
    create_table(clients.dynamodb, stores.name)
    create_bucket(clients.s3, stores.name, moto_server.region)
    environment = stores.environment() | {
        "MATCHBOX_LOG_LEVEL": "info",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": moto_server.endpoint,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with faulty_registry() as registry:
        registry.scheme = "bearer"
        yield Function(stores, clients, registry, tmp_path / "scratch", environment)
