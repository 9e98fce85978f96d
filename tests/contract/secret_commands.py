"""`matchboxctl secret` over a data directory, or over moto's Parameter Store."""

from pathlib import Path

import pytest

from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.support.resource_commands import ResourceCommands

PARAMETER_STORE = "parameter store"
PLACES = ["directory", PARAMETER_STORE]


def on_moto(moto_server: Service) -> dict[str, str]:
    """The environment of secrets on moto."""
    return dict.fromkeys(("AWS_ENDPOINT_URL_SSM", "AWS_ENDPOINT_URL_SECRETS_MANAGER"), moto_server.endpoint)


def secret_environment(moto_server: Service) -> dict[str, str]:
    """A new table, bucket and prefix on moto."""
    stores = new_stores(moto_server, moto_server)
    stores.create()
    return {**stores.environment(), **on_moto(moto_server), "MATCHBOX_SECRETS": f"/matchbox/{stores.name}"}


def secret_commands(
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capture: pytest.CaptureFixture[bytes],
    moto_server: Service | None = None,
) -> ResourceCommands:
    """The commands on an empty data directory beside `files`, or on moto."""
    files.mkdir()
    data = None
    if moto_server is None:
        data = files.parent / "data"
        data.mkdir()
        environment = {"MATCHBOX_DATA_PATH": str(data)}
    else:
        environment = secret_environment(moto_server)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return ResourceCommands(files, capture, monkeypatch, environment, data)
