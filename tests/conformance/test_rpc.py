"""The recorded gRPC responses of matchbox, from `matchboxctl serve` with mutual TLS, in both modes."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from matchboxctl.rpc import matchbox_pb2 as pb
from tests.conformance.recordings import HERE
from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.support.rpc_client import ANYWHERE, Reply, Client, response_class, connected, files_in, message_of, rpc_port
from tests.support.serving import started

pytestmark = pytest.mark.system

STEPS: list[dict[str, Any]] = json.loads((HERE / "grpc/answers.json").read_text())
# What matchbox's file system happens to do, and what depends on the Go that built it.
KEPT = [number for number, step in enumerate(STEPS) if step["topic"] != "paths" and "varies" not in step]
# An empty store lists as empty, and so a selection in it finds nothing.
EMPTY_LISTS = {"rpcpb.Groups/GroupList": {}, "rpcpb.Profiles/ProfileList": {}}
NOBODY = {"code": "NotFound", "message": "matchbox: No matching Group"}
TABLE = "/var/lib/matchbox"
# Messages of our own: grpcio refuses requests of more than 4 MiB; Go's encoding/json speaks for matchbox.
OTHER_WORDS = "ResourceExhausted", "metadata that is not a JSON object"


class Run(NamedTuple):
    """The response to each step, and the data directory in messages."""

    responses: dict[int, Reply]
    root: str


def expected(step: dict[str, Any]) -> tuple[dict[str, Any] | None, dict[str, str] | None]:
    """The recorded response or error, except for stated differences."""
    if step["topic"] == "empty" and step["rpc"] in EMPTY_LISTS:
        return EMPTY_LISTS[step["rpc"]], None
    if step["topic"] == "empty" and step["rpc"] == "rpcpb.Select/SelectGroup":
        return None, NOBODY
    if "crash" in step:
        return None, {"code": "Unknown", "message": "Id is required"}
    response = step.get("answer")
    if response is not None:
        # A profile is always answered with its boot.
        for profile in [response.get("profile"), *response.get("profiles", [])]:
            if profile is not None:
                profile.setdefault("boot", {})
    return response, step.get("error")


def send(client: Client, step: dict[str, Any]) -> Reply:
    package, _, path = step["rpc"].rpartition(".")
    service, _, method = path.partition("/")
    known = package == "rpcpb" and service in pb.DESCRIPTOR.services_by_name
    known = known and method in pb.DESCRIPTOR.services_by_name[service].methods_by_name
    response = response_class(service, method) if known else pb.Empty
    if "request_raw" in step:
        raw = base64.b64decode(step["request_raw"])
    else:
        message = message_of(service, method, step["request"])
        if "fill" in step:
            setattr(message, step["fill"]["field"], bytes([step["fill"]["byte"]]) * step["fill"]["count"])
        raw = message.SerializeToString()
    return client.send(f"/{step['rpc']}", raw, response)


@contextmanager
def in_directory(directory: Path) -> Iterator[Run]:
    data = directory / "data"
    data.mkdir()
    files = files_in(directory)
    with started(
        "--address", "127.0.0.1:0", "--log-level", "error", "--data-path", str(data), *ANYWHERE, *files.flags
    ) as serve:
        with connected(rpc_port(serve), files) as client:
            yield Run({number: send(client, STEPS[number]) for number in KEPT}, str(data))
        serve.end()


def on_stores(tables: str, buckets: str, directory: Path, request: pytest.FixtureRequest) -> Iterator[Run]:
    table, bucket = (request.getfixturevalue(name) for name in (tables, buckets))
    assert isinstance(table, Service)
    assert isinstance(bucket, Service)
    stores = new_stores(table, bucket)
    stores.create()
    files = files_in(directory)
    environment = stores.environment() | {"MATCHBOX_LOG_LEVEL": "error"}
    with started("--address", "127.0.0.1:0", *ANYWHERE, *files.flags, environment=environment) as serve:
        with connected(rpc_port(serve), files) as client:
            yield Run({number: send(client, STEPS[number]) for number in KEPT}, TABLE)
        serve.end()


@pytest.fixture(
    scope="module",
    params=["directory", "moto", pytest.param("dynamodb_local", marks=pytest.mark.real)],
)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    directory = tmp_path_factory.mktemp("rpc")
    match request.param:
        case "directory":
            with in_directory(directory) as done:
                yield done
        case "moto":
            yield from on_stores("moto_server", "moto_server", directory, request)
        case _:
            yield from on_stores("dynamodb_local", "versitygw", directory, request)


def name_of(number: int) -> str:
    return f"{number} {STEPS[number]['rpc'].partition('.')[2]} {STEPS[number].get('about', '')}".strip()


@pytest.mark.parametrize("number", KEPT, ids=name_of)
def test_response_is_the_recorded_one(number: int, run: Run) -> None:
    """Of some errors (OTHER_WORDS) only the code."""
    step, got = STEPS[number], run.responses[number]
    response, error = expected(step)
    if error is not None:
        assert error["code"] == got.code
        if not {error["code"], step.get("about")} & {*OTHER_WORDS}:
            assert error["message"].replace("{data}", run.root) == got.message
    elif step.get("answer_size_only"):
        assert got.response is not None
        assert 4_194_294 == len(base64.b64decode(got.response["config"]))
    else:
        assert (response, "OK", "") == got


@pytest.mark.parametrize("run", ["directory"], indirect=True)
def test_files_are_the_recorded_ones(run: Run) -> None:
    """Byte for byte."""
    root = Path(run.root)
    written = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    recorded = json.loads((HERE / "grpc/files.json").read_text())
    assert {path: text.encode() for path, text in recorded.items()} == written
    assert {0o644} == {path.stat().st_mode & 0o777 for path in root.rglob("*") if path.is_file()}
