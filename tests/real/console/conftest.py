"""Chromium, a server, and a console of its data."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lambda_matchbox.aws.table_and_bucket import create_history_table
from matchboxctl.store.mode import StoreSettings, chosen_store
from tests.real.console.tabs import HOSTILE, READY, UNKNOWN, WAITING, recorded, send
from tests.rigs.chromium import Chromium, chromium
from tests.rigs.stores import new_stores
from tests.support.consoles import Running, console
from tests.support.data_files import write_files
from tests.support.registry_serving import faulty_registry
from tests.support.serving import Serve, started
from tests.unit.image_sync.sync_subject import TAG, talos

FILES = {
    "groups/all.json": {"profile": "p", "selector": {"arch": "x86_64"}, "boot": {"approve": True}},
    "groups/free.json": {"profile": "p", "selector": {"mac": READY}},
    "profiles/p.json": {"boot": {"kernel": "/assets/vmlinuz", "initrd": ["/assets/initrd.gz"]}, "generic_id": "g"},
    "generic/g": "text",
    "assets/vmlinuz": "kernel",
    "assets/initrd.gz": "initrd",
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as found:
        yield found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_files(tmp_path / "data", FILES)


@pytest.fixture(params=["directory", pytest.param("stores", marks=pytest.mark.nightly)])
def store(request: pytest.FixtureRequest, data: Path, monkeypatch: pytest.MonkeyPatch) -> Path | StoreSettings:
    """The data, in a directory or in table and bucket."""
    if request.param == "directory":
        return data
    stores = new_stores(*map(request.getfixturevalue, ("dynamodb_local", "versitygw")))
    stores.fill(data)
    with closing(stores.tables.client("dynamodb")) as dynamodb:
        create_history_table(dynamodb, f"{stores.name}-history")
    for name, value in (stores.environment() | {"MATCHBOX_HISTORY_TABLE": f"{stores.name}-history"}).items():
        monkeypatch.setenv(name, value)
    return chosen_store("")


@pytest.fixture
def serve(store: Path | StoreSettings) -> Iterator[Serve]:
    flags = ("--data-path", str(store)) if isinstance(store, Path) else ()
    with started("--address", "127.0.0.1:0", *flags, "--processes", "1") as serve:
        send(serve, WAITING)
        serve.get(f"/ipxe?mac={UNKNOWN}&hostname={HOSTILE.replace(' ', '%20')}")
        serve.get(f"/ipxe?mac={READY}")
        recorded(store, WAITING, UNKNOWN, READY)
        yield serve


@pytest.fixture
def running(serve: Serve, store: Path | StoreSettings) -> Iterator[Running]:
    with console(store) as running:
        yield running


@pytest.fixture
def sources(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A source, and a group with a hostile selector."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with faulty_registry() as registry:
        registry.add("boot", TAG, talos(b"kernel"))
        source = {"image": f"{registry.host}/boot:{TAG}", "assets": "talos", "platform": "linux/arm64"}
        named = {"profile": "p", "selector": {"rack": HOSTILE}}
        write_files(data, {"sources/talos.json": {"id": "talos", **source}, f"groups/{HOSTILE[:8]}.json": named})
        yield
