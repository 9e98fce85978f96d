"""`sync`, `releases`, `rollback`, `follow` and `serve --sync` with a real registry."""

import hashlib
import json
import re
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from tests.real.source_commands import TIMEOUT, SourceCommands, fetch
from tests.rigs.oci_registry import OciRegistry
from tests.rigs.oci_registry import oci_registry as oci_registry_rig
from tests.rigs.stores import new_stores
from tests.support.images.layers import Entry, gzipped
from tests.support.images.manifests import Image, image
from tests.support.images.signatures import (
    bundled,
    fingerprint,
    new_key,
    public_pem,
    referrers,
    signatures,
    simple_signing,
    statement,
)
from tests.support.serving import Serve

pytestmark = pytest.mark.real

DIGEST = r"sha256:[0-9a-f]{64}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def talos(kernel: bytes, version: str = "") -> Image:
    files = (Entry("talos/arm64/vmlinuz", kernel), Entry("talos/arm64/initramfs.xz", b"initramfs"))
    return image([gzipped(*files)], labels={"org.opencontainers.image.version": version} if version else {})


OLD, NEW = talos(b"old kernel", "v1.12.0"), talos(b"new kernel", "v1.13.0")


@pytest.fixture(params=["directory", "store"])
def commands(request: pytest.FixtureRequest, tmp_path: Path) -> SourceCommands:
    if request.param == "directory":
        return SourceCommands(tmp_path)
    return SourceCommands(
        tmp_path, new_stores(request.getfixturevalue("dynamodb_local"), request.getfixturevalue("versitygw"))
    )


@pytest.fixture
def repository() -> str:
    return f"public/{uuid4()}"


def test_sync_rollback_and_follow(commands: SourceCommands, repository: str, oci_registry: OciRegistry) -> None:
    commands.add("talos", oci_registry.push(OLD, repository, "stable"))
    assert "no release of 'talos' in " in commands.run("releases", "talos", code=2)
    assert "no source 'other' in " in commands.run("sync", "other", code=2)
    assert f"talos: published {OLD.digest}\n" == commands.run("sync")
    assert f"talos: up to date: {OLD.digest}\n" == commands.run("sync", "talos")
    assert f"talos: no release is older than {OLD.digest}" in commands.run("rollback", "talos", code=2)
    oci_registry.push(NEW, repository, "stable")
    assert f"talos: published {NEW.digest}\n" == commands.run("sync")
    head, first, second = commands.run("releases", "talos").splitlines()
    assert ["STATE", "DIGEST", "PUBLISHED", "BYTES", "VERSION", "SIGNER"] == head.split()
    assert re.fullmatch(f"current  {NEW.digest}  {TIME}  19     v1.13.0  -", first)
    assert re.fullmatch(f"kept     {OLD.digest}  {TIME}  19     v1.12.0  -", second)
    unknown = f"sha256:{'0' * 64}"
    assert f"no release '{unknown}'; kept are {NEW.digest}, {OLD.digest}" in commands.run(
        "rollback", "talos", unknown, code=2
    )
    held = f"talos: held at {OLD.digest}; run `matchboxctl follow talos` to let syncs update it\n"
    assert held == commands.run("rollback", "talos")
    assert held == commands.run("sync")
    assert ["STATE", "kept", "held"] == [line.split()[0] for line in commands.run("releases", "talos").splitlines()]
    assert f"talos: at {OLD.digest}; the next sync updates it to the newest image\n" == commands.run("follow", "talos")
    assert f"talos: published {NEW.digest}\n" == commands.run("sync")
    assert set() == commands.leftovers("talos")


def test_only_signed_images_are_published(commands: SourceCommands, repository: str, oci_registry: OciRegistry) -> None:
    key = new_key()
    signer = f"the key sha256:{fingerprint(public_pem(key))}"
    commands.add("talos", oci_registry.push(OLD, repository, "stable"), verify={"key": public_pem(key)})
    oci_registry.push(signatures([simple_signing(key, OLD.digest)]), repository, f"sha256-{OLD.digest[7:]}.sig")
    assert f"talos: published {OLD.digest} (signed by {signer})\n" == commands.run("sync")
    oci_registry.push(NEW, repository, "stable")
    refused = commands.run("sync", code=1)
    assert f"({NEW.digest}): cannot verify the signature: the registry has no signature of {NEW.digest}; " in refused
    assert [OLD.digest] == commands.digests("talos")
    oci_registry.push(referrers([bundled(key, statement(NEW.digest))], NEW), repository, f"sha256-{NEW.digest[7:]}")
    assert f"talos: published {NEW.digest} (signed by {signer})\n" == commands.run("sync")
    assert all(line.endswith(f"  {signer}") for line in commands.run("releases", "talos").splitlines()[1:])
    shown = json.loads(commands.run("releases", "talos", "--output", "json"))
    assert [{"digest": one.digest, "signer": signer} for one in (NEW, OLD)] == [one["signature"] for one in shown]


def test_releases_output_env_and_json(commands: SourceCommands, repository: str, oci_registry: OciRegistry) -> None:
    commands.add("talos", oci_registry.push(OLD, repository, "stable"))
    commands.run("sync")
    kernel, initramfs = (hashlib.sha256(body).hexdigest() for body in (b"old kernel", b"initramfs"))
    assert (
        f"TALOS_VERSION=v1.12.0\nKERNEL_DIGEST=sha256:{kernel}\nINITRAMFS_DIGEST=sha256:{initramfs}\n"
    ) == commands.run("releases", "talos", "--output", "env")
    (release,) = json.loads(commands.run("releases", "talos", "--output", "json"))
    assert re.fullmatch(TIME, release.pop("time"))
    assert {
        "digest": OLD.digest,
        "size": 19,
        "current": True,
        "held": False,
        "version": "v1.12.0",
        "files": {
            "vmlinuz": {"size": 10, "sha256": kernel, "path": "talos/arm64/vmlinuz"},
            "initramfs.xz": {"size": 9, "sha256": initramfs, "path": "talos/arm64/initramfs.xz"},
        },
    } == release
    oci_registry.push(talos(b"kernel without a version"), repository, "stable")
    commands.run("sync")
    assert ["KERNEL_DIGEST", "INITRAMFS_DIGEST"] == [
        line.partition("=")[0] for line in commands.run("releases", "talos", "--output", "env").splitlines()
    ]


def test_address_serves_a_kept_release(commands: SourceCommands, repository: str, oci_registry: OciRegistry) -> None:
    commands.add("talos", oci_registry.push(OLD, repository, "stable"))
    commands.run("sync")
    with commands.serve() as serve:
        assert b"old kernel" == fetch(serve, "/assets/talos/vmlinuz")
        oci_registry.push(NEW, repository, "stable")
        commands.run("sync")
        assert b"new kernel" == fetch(serve, "/assets/talos/vmlinuz")
        assert b"old kernel" == fetch(serve, f"/assets/talos/vmlinuz?release={OLD.digest}")
        assert 404 == serve.get(f"/assets/talos/vmlinuz?release=sha256:{'0' * 64}").status
        commands.run("rollback", "talos", OLD.digest)
        assert b"old kernel" == fetch(serve, "/assets/talos/vmlinuz")
        serve.end()


def test_failure_does_not_stop_other_sources(
    commands: SourceCommands, repository: str, oci_registry: OciRegistry
) -> None:
    commands.add("bad", f"{oci_registry.host}/{repository}:absent")
    commands.add("good", oci_registry.push(OLD, repository, "stable"))
    output = commands.run("sync", code=1).splitlines()
    assert f"good: published {OLD.digest}" in output
    (line,) = [line for line in output if "bad: " in line]
    assert f"bad: {oci_registry.host}/{repository}:absent: cannot resolve the image: " in line


def test_login_is_read_from_docker_config(commands: SourceCommands, tmp_path: Path, oci_registry: OciRegistry) -> None:
    commands.add("talos", oci_registry.push(OLD, f"private/{uuid4()}", "stable"))
    assert "cannot resolve the image: " in commands.run("sync", code=1)
    login = {"username": oci_registry.user, "password": oci_registry.password}
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(json.dumps({"auths": {oci_registry.host: login}}))
    assert f"talos: published {OLD.digest}\n" == commands.run("sync")


def test_concurrent_syncs_succeed(commands: SourceCommands, repository: str, oci_registry: OciRegistry) -> None:
    commands.add("talos", oci_registry.push(OLD, repository, "stable"))
    for one in (OLD, talos(hashlib.shake_256(b"large").digest(8_000_000))):
        oci_registry.push(one, repository, "stable")
        with ExitStack() as both:
            syncs = [both.enter_context(commands.begin("sync")) for _ in range(2)]
            said = [sync.communicate(timeout=TIMEOUT) for sync in syncs]
        assert [0, 0] == [sync.returncode for sync in syncs]
        assert [f"talos: published {one.digest}\n", f"talos: up to date: {one.digest}\n"] == sorted(
            out for out, _ in said
        )
        assert one.digest == commands.digests("talos")[0]
        assert set() == commands.leftovers("talos")


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds."""
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def kernel_of(serve: Serve) -> bytes:
    """What is served as the kernel; nothing where there is none."""
    reply = serve.get("/assets/talos/vmlinuz")
    assert reply.status in (200, 404)
    return reply.body if reply.status == 200 else b""


def test_serve_syncs_at_start_and_at_intervals(tmp_path: Path, repository: str) -> None:
    commands = SourceCommands(tmp_path)
    with oci_registry_rig() as registry:
        commands.add("talos", registry.push(OLD, repository, "stable"), interval="1s")
        with commands.serve("--sync") as serve:
            eventually(lambda: kernel_of(serve) == b"old kernel")
            registry.push(NEW, repository, "stable")
            eventually(lambda: kernel_of(serve) == b"new kernel")
            serve.end()
    with commands.serve("--sync") as serve:
        assert b"new kernel" == kernel_of(serve)
        eventually(lambda: any("cannot resolve the image: " in line for line in serve.errors))
        assert b"new kernel" == kernel_of(serve)
        assert [NEW.digest, OLD.digest] == commands.digests("talos")
        serve.end()


def test_silent_registry_does_not_delay_other_sources(
    tmp_path: Path, repository: str, oci_registry: OciRegistry
) -> None:
    commands = SourceCommands(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        commands.add("first", f"127.0.0.1:{silent.getsockname()[1]}/team/boot:stable", assets="first")
        commands.add("talos", oci_registry.push(OLD, repository, "stable"))
        with commands.serve("--sync") as serve:
            eventually(lambda: kernel_of(serve) == b"old kernel")
            serve.end()
