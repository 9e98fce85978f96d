"""The container image, in place of matchbox's."""

import json
import shutil
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from matchboxctl import __version__
from tests.conformance.http_exchange import exchange
from tests.conformance.recordings import HERE, SUITES, assert_reproduced, recordings
from tests.rigs.container import DATA, Container, Volume, container
from tests.rigs.container_image import MAX_SIZE, Image, container_image, size
from tests.rigs.program import free_port, running
from tests.support.rpc_client import Client
from tests.support.serving import LIMIT, Serve, started

pytestmark = pytest.mark.real

USER = 65532

# Of a service of Docker Compose that runs matchbox.
ENVIRONMENT = {
    "MATCHBOX_ADDRESS": "0.0.0.0:8080",
    "MATCHBOX_RPC_ADDRESS": "0.0.0.0:8081",
    "MATCHBOX_LOG_LEVEL": "debug",
}
LARGE = 64 << 20
"""More bytes than the system takes for a client that does not read."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the container's user owns."""
    directory = tmp_path_factory.mktemp("volume") / "data"
    shutil.copytree(HERE / "seed" / "data", directory)
    (directory / "assets").mkdir(exist_ok=True)
    with (directory / "assets" / "large.img").open("wb") as large:
        large.truncate(LARGE)
    own(directory)
    return directory


def own(directory: Path, user: int = USER) -> None:
    for path in (directory, *directory.rglob("*")):
        shutil.chown(path, user, user)


def reproduce(suite: str, port: int) -> None:
    """Compare the responses of a server of the suite's data with those that are recorded."""
    for recording in recordings():
        if recording.suite == suite:
            assert_reproduced(recording, exchange(port, recording), behind_balancer=False)


def test_recorded_requests(matchbox_image: Image) -> None:
    """From a volume that is read-only."""
    with (
        container(matchbox_image, "-address=127.0.0.1:0", volumes=[Volume(HERE / "seed" / "data")]) as made,
        started(command=made.command) as serve,
    ):
        reproduce("seed", serve.port)
        serve.end()


def test_compose_service_of_matchbox_with_another_image(matchbox_image: Image, data: Path, tmp_path: Path) -> None:
    volumes = [Volume(data, writable=True), Volume(data / "assets", f"{DATA}/assets", writable=True)]
    with (
        container(matchbox_image, volumes=volumes, environment=ENVIRONMENT, own_network=True) as made,
        running(made.command, tmp_path, {}) as program,
    ):
        log = tmp_path / "log"
        program.wait_for(lambda: "listening on 0.0.0.0:8080\n" in log.read_text() or None, "its address")
        checked = made.execute(*matchbox_image.config["Healthcheck"]["Test"][1:])
        assert (0, "127.0.0.1:8080 answers with 200\n") == (checked.returncode, checked.stdout), checked.stderr
        lines = log.read_text().splitlines()
    [error] = [json.loads(line) for line in lines if '"ERROR"' in line]
    assert error["message"].startswith("gRPC is off: ")
    assert "`matchboxctl certs /etc/matchbox --name HOST`" in error["message"]
    assert [] == [line for line in lines if not line.startswith("{") and "matchboxctl: " in line]


def test_image_is_described(matchbox_image: Image) -> None:
    config = matchbox_image.config
    assert (f"{USER}:{USER}", ["matchboxctl", "serve"]) == (config["User"], config["Entrypoint"])
    assert {"8080/tcp", "8081/tcp"} == set(config["ExposedPorts"])
    assert {DATA} == set(config["Volumes"])
    assert "Apache-2.0" == config["Labels"]["org.opencontainers.image.licenses"]


def test_image_is_small_and_has_no_tools_of_its_build(matchbox_image: Image) -> None:
    assert 0 < size(matchbox_image.root) - size(matchbox_image.base) < MAX_SIZE
    own_programs = {path.name for path in (matchbox_image.root / "opt" / "lambda-matchbox" / "bin").iterdir()}
    assert set() == own_programs & {"cc", "gcc", "g++", "pip", "uv", "cyclonedx-py"}
    assert [] == [path for path in matchbox_image.root.glob("usr/*/bin/*") if path.name in ("gcc", "pip", "uv")]


def test_bill_of_materials_has_every_package(matchbox_image: Image) -> None:
    root = matchbox_image.root / "opt" / "lambda-matchbox"
    bill = json.loads((root / "sbom.cdx.json").read_text())
    [installed] = root.glob("lib/python3.*/site-packages")
    expected = {
        tuple(directory.name.removesuffix(".dist-info").lower().split("-"))
        for directory in installed.glob("*.dist-info")
    }
    listed = {(each["name"].lower().replace("-", "_"), each["version"]) for each in bill["components"]}
    assert "CycloneDX" == bill["bomFormat"]
    assert ("lambda_matchbox", __version__) in expected
    assert expected == listed | {("lambda_matchbox", __version__)}


@pytest.mark.nightly
@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("user", [USER, 12345])
def test_every_recorded_request_for_any_user(matchbox_image: Image, suite: str, user: int) -> None:
    with (
        container(matchbox_image, "-address=127.0.0.1:0", volumes=[Volume(HERE / suite / "data")], user=user) as made,
        started(command=made.command) as serve,
    ):
        reproduce(suite, serve.port)
        serve.end()


@pytest.mark.nightly
def test_data_is_kept_when_the_container_is_killed(matchbox_image: Image, data: Path) -> None:
    volumes = [Volume(data, writable=True)]
    target = "/ipxe?mac=52-54-00-aa-bb-cc&arch=arm64&uuid=4c4c4544-0038-4410-8052-b3c04f4b5931"
    with container(matchbox_image, "-address=127.0.0.1:0", volumes=volumes) as made:
        with started(command=made.command) as serve:
            before = serve.get(target)
            wait_for_history(made)
            made.kill()
        with started(command=made.command) as serve:
            assert before.body == serve.get(target).body
            wait_for_history(made)
            serve.end()


def wait_for_history(made: Container) -> None:
    for _ in range(100):
        listed = made.execute("matchboxctl", "machine", "list", "-o", "json")
        if "52:54:00:aa:bb:cc" in listed.stdout:
            return
    raise AssertionError(listed)


@pytest.mark.nightly
def test_term_lets_a_download_finish(matchbox_image: Image, data: Path) -> None:
    flags = ("-address=127.0.0.1:0", "-log-level=debug")
    with container(matchbox_image, *flags, volumes=[Volume(data)]) as made, started(command=made.command) as serve:
        assert LARGE < downloaded_while_ending(serve)


def downloaded_while_ending(serve: Serve) -> int:
    with socket.create_connection(("127.0.0.1", serve.port), LIMIT) as client:
        client.sendall(b"GET /assets/large.img HTTP/1.0\r\n\r\n")
        received = len(client.recv(1000))
        with ThreadPoolExecutor() as threads, client.makefile("rb") as rest:
            ending = threads.submit(serve.end)
            while part := rest.read1():
                received += len(part)
            ending.result()
    return received


@pytest.mark.nightly
def test_grpc_with_certificates_that_the_image_makes(matchbox_image: Image, data: Path, tmp_path: Path) -> None:
    files = tmp_path / "certificates"
    files.mkdir()
    own(files)
    volumes = [Volume(data, writable=True), Volume(files, "/etc/matchbox", writable=True)]
    flags = ("-address=127.0.0.1:0", f"-rpc-address=127.0.0.1:{free_port()}")
    with container(matchbox_image, *flags, volumes=volumes) as made:
        with started(command=made.command) as serve:
            made_them = made.execute("matchboxctl", "certs", "/etc/matchbox", "--name", "127.0.0.1")
            assert 0 == made_them.returncode, made_them.stderr
            serve.end()
        with started(command=made.command) as serve:
            credentials = grpc.ssl_channel_credentials(
                *((files / name).read_bytes() for name in ("ca.crt", "client.key", "client.crt"))
            )
            with grpc.secure_channel(flags[1].partition("=")[2], credentials) as channel:
                Client(channel).ok("Profiles/ProfilePut", {"profile": {"id": "put", "boot": {"kernel": "/assets/new"}}})
            assert b"/assets/new" in serve.get("/profiles/put").body
            serve.end()


@pytest.mark.nightly
def test_same_sources_give_the_same_layers(matchbox_image: Image) -> None:
    with container_image() as again:
        assert matchbox_image.layers == again.layers
