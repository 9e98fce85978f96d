"""The catalogues under test as fixtures."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import pytest

from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.keys import ASSETS_PREFIX
from lambda_matchbox.aws.releases.copies import ReleaseCopies
from lambda_matchbox.aws.releases.store import TableReleaseStore
from lambda_matchbox.aws.table_and_bucket import create_history_table
from lambda_matchbox.machines.history_stores import History, HistoryStore
from matchboxctl.directory.catalog import DirectoryCatalog
from matchboxctl.directory.history_file import DirectoryHistory
from matchboxctl.main import main
from matchboxctl.store.mode import StoreSettings, chosen_store
from tests.contract.catalog_subjects import FileWriter, MemoryWriter, NewSubject, Subject
from tests.contract.copied_releases import Door
from tests.contract.histories import on_dynamodb
from tests.contract.machine_commands import put
from tests.contract.release_subjects import ON_SERVICES, OnStores, ReleaseSubject, in_directory, in_memory, on_stores
from tests.contract.secret_commands import PARAMETER_STORE, PLACES, secret_commands
from tests.contract.talos_cluster import Talos
from tests.rigs.catalog_table import ENOUGH, CatalogTable
from tests.rigs.service import Service
from tests.rigs.stores import Stores, new_stores
from tests.support.data_files import write_files
from tests.support.memory_catalog import MemoryCatalog
from tests.support.memory_history import MemoryHistory
from tests.support.resource_commands import ResourceCommands

MakeTable: TypeAlias = Callable[[Service], CatalogTable]
Run: TypeAlias = Callable[..., int]
ON_DYNAMODB = ["moto_server", pytest.param("dynamodb_local", marks=pytest.mark.real)]


@pytest.fixture(scope="module")
def made(moto_server: Service) -> Iterator[MakeTable]:
    """Makes tables, with buckets on moto; clients are kept between them, as they are slow to make."""
    with ExitStack() as opened:
        http = opened.enter_context(closing(HttpClient(connect_timeout=ENOUGH, read_timeout=ENOUGH)))
        client = cache(lambda service: opened.enter_context(closing(service.client("dynamodb"))))
        s3_client = opened.enter_context(closing(moto_server.client("s3")))
        yield lambda service: CatalogTable(service, client(service), moto_server, s3_client, http)


@pytest.fixture(params=ON_DYNAMODB)
def table(request: pytest.FixtureRequest, made: MakeTable) -> Iterator[CatalogTable]:
    with closing(made(request.getfixturevalue(request.param))) as table:
        yield table


@pytest.fixture(params=["memory", "directory", *ON_DYNAMODB])
def new_subject(request: pytest.FixtureRequest, made: MakeTable) -> NewSubject:
    """Opens empty catalogues of one kind."""
    match request.param:
        case "memory":
            return _in_memory
        case "directory":
            return _in_directory
        case service:
            return lambda: _on_dynamodb(made, request.getfixturevalue(service))


@pytest.fixture
def subject(new_subject: NewSubject) -> Iterator[Subject]:
    with new_subject() as subject:
        yield subject


@contextmanager
def _in_memory() -> Iterator[Subject]:
    catalog = MemoryCatalog()
    yield Subject(catalog, MemoryWriter(catalog))


@contextmanager
def _in_directory() -> Iterator[Subject]:
    with TemporaryDirectory() as name:
        reports: list[str] = []
        catalog = DirectoryCatalog(Path(name), reports.append)
        try:
            yield Subject(catalog, FileWriter(Path(name)))
        finally:
            catalog.close()
        assert [] == reports


@contextmanager
def _on_dynamodb(made: MakeTable, service: Service) -> Iterator[Subject]:
    with closing(made(service)) as table:
        yield Subject(table.reader(), table.writer)


@pytest.fixture(params=ON_SERVICES)
def stored(request: pytest.FixtureRequest) -> Iterator[OnStores]:
    """Releases in table and bucket."""
    with _releases_on(request) as stored:
        yield stored


@pytest.fixture(params=["memory", "directory", *ON_SERVICES])
def releases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ReleaseSubject]:
    """Releases, wherever they lie."""
    match request.param:
        case "memory":
            yield in_memory()
        case "directory":
            yield in_directory(tmp_path)
        case _:
            with _releases_on(request) as stored:
                yield stored.subject


def _releases_on(request: pytest.FixtureRequest) -> AbstractContextManager[OnStores]:
    names = ("dynamodb_local", "versitygw") if request.param == "real" else ("moto_server", "moto_server")
    return on_stores(*map(request.getfixturevalue, names))


@pytest.fixture(params=ON_SERVICES)
def stores(request: pytest.FixtureRequest) -> Stores:
    return _stores(request)


def _stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "moto":
        service = request.getfixturevalue("moto_server")
        return new_stores(service, service)
    return new_stores(request.getfixturevalue("dynamodb_local"), request.getfixturevalue("versitygw"))


@pytest.fixture(params=["directory", *ON_SERVICES])
def commands(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> ResourceCommands:
    """An empty place for groups, profiles and templates."""
    files = tmp_path / "files"
    files.mkdir()
    data = None
    if request.param == "directory":
        data = tmp_path / "data"
        data.mkdir()
        environment = {"MATCHBOX_DATA_PATH": str(data)}
    else:
        stores = _stores(request)
        stores.create()
        environment = stores.environment()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return ResourceCommands(files, capsysbinary, monkeypatch, environment, data)


@pytest.fixture(params=PLACES)
def secret_store(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> ResourceCommands:
    """An empty place for secrets and templates."""
    service = request.getfixturevalue("moto_server") if request.param == PARAMETER_STORE else None
    return secret_commands(tmp_path / "files", monkeypatch, capsysbinary, service)


@pytest.fixture
def talos(secret_store: ResourceCommands) -> Talos:
    return Talos(secret_store)


@pytest.fixture
def local_talos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Talos:
    """The same in a data directory alone, for what no store does otherwise."""
    return Talos(secret_commands(tmp_path / "files", monkeypatch, capsysbinary))


@pytest.fixture
def machines(commands: ResourceCommands, monkeypatch: pytest.MonkeyPatch) -> ResourceCommands:
    """A group whose machines wait, and a place for histories."""
    if commands.data is None:
        store = chosen_store("")
        assert isinstance(store, StoreSettings)
        create_history_table(store.dynamodb(), f"{store.table}-history")
        monkeypatch.setenv("MATCHBOX_HISTORY_TABLE", f"{store.table}-history")
    commands.ok("generic", "create", "-f", commands.file("t", "text"))
    put(commands, "profile", {"id": "p", "boot": {"kernel": "/assets/k"}, "generic_id": "t"})
    put(commands, "group", {"id": "workers", "profile": "p", "selector": {"rack": "7"}, "boot": {"approve": True}})
    return commands


@pytest.fixture(params=["memory", "directory", *ON_DYNAMODB])
def history_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HistoryStore]:
    match request.param:
        case "memory":
            yield MemoryHistory()
        case "directory":
            with closing(DirectoryHistory(tmp_path)) as store:
                yield store
        case service:
            with on_dynamodb(request.getfixturevalue(service)) as store:
                yield store


@pytest.fixture
def history(history_store: HistoryStore) -> History:
    return History(history_store)


@pytest.fixture
def run(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command over the stores, which are made; returns its exit code."""
    for name, value in stores.environment().items():
        monkeypatch.setenv(name, value)
    assert 0 == main(["init"])
    return lambda *arguments: main(list(map(str, arguments)))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A directory with a group, a profile, templates and assets."""
    root = tmp_path / "data"
    write_files(
        root,
        {
            "groups/g.json": '{"profile": "p", "selector": {"os": "a"}, "metadata": {"a": [1, 2.5, null]}}',
            "profiles/p.json": '{"generic_id": "t", "boot": {"kernel": "/assets/vmlinuz"}}',
            "generic/t": "text {{.a}}",
            "generic/deep/er/t": "text",
            "assets/vmlinuz": "kernel",
            "assets/dir/a file+ü%41.txt": "text",
        },
    )
    return root


@pytest.fixture
def make_door(stored: OnStores, tmp_path: Path) -> Callable[..., Door]:
    def make(source_id: str = "arm", *, required: bool | None = True) -> Door:
        clients = stored.stores.light_clients()
        made = ReleaseCopies(clients, required=required)
        own = stored.subject.served.files("", "").with_prefix(ASSETS_PREFIX)  # type: ignore[attr-defined]
        return Door(stored, TableReleaseStore(clients, source_id, copies=made), made, own, tmp_path)

    return make


@pytest.fixture
def door(make_door: Callable[..., Door]) -> Door:
    return make_door()
