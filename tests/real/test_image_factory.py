"""A source of a schematic, synced from a registry of the factory's name that redirects as its code does."""

import json
import os
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.real.source_commands import COMMAND, SourceCommands
from tests.real.test_sync_real import EFI, factory
from tests.rigs.install import on_path, run
from tests.rigs.oci_registry import OciRegistry, oci_registry
from tests.support.certificates import tls_server
from tests.support.images.signatures import new_key, public_pem, signatures, simple_signing
from tests.support.server_threads import in_thread

pytestmark = [
    pytest.mark.real,
    pytest.mark.nightly,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root has a port 443, and another /etc/hosts"),
]

ADDRESS = "127.0.0.77"
SCHEMATIC = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"
SYNC = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'


class Factory(ThreadingHTTPServer):
    """It redirects to another registry: versions to digests, everything else as it is."""

    daemon_threads = True

    def __init__(self, directory: Path, registry: OciRegistry, digests: dict[str, str]) -> None:
        super().__init__((ADDRESS, 443), Redirection)
        context, self.authority = tls_server(directory, ["factory.talos.dev"])
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.registry = registry
        self.digests = digests


class Redirection(BaseHTTPRequestHandler):
    server: Factory

    def do_GET(self) -> None:
        above, _, reference = self.path.rpartition("/")
        target = f"http://{self.server.registry.host}{above}/{self.server.digests.get(reference, reference)}"
        known = re.fullmatch(rf"/v2/[a-z-]*installer[a-z-]*/{SCHEMATIC}/(manifests|blobs)", above)
        self.send_response(307 if known else 404)
        self.send_header("Location", target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def registry() -> Iterator[OciRegistry]:
    with oci_registry(tokens=False, redirect=False) as registry:
        yield registry


def test_source_of_a_schematic_is_synced(registry: OciRegistry, tmp_path: Path) -> None:
    key, made = new_key(), factory()
    repository = f"metal-installer/{SCHEMATIC}"
    registry.push(made, repository, "built")
    signature = signatures([simple_signing(key, made.digest)])
    registry.push(signature, repository, f"sha256-{made.digest.removeprefix('sha256:')}.sig")
    commands = SourceCommands(tmp_path)
    document = {"id": "talos", "schematic": SCHEMATIC, "version": "v1.13.0", "assets": "talos"}
    source = commands.data / "sources" / "talos.json"
    source.write_text(json.dumps(document | {"verify": {"key": public_pem(key)}}))
    hosts = tmp_path / "hosts"
    hosts.write_text(f"{ADDRESS} factory.talos.dev\n")
    with in_thread(Factory(tmp_path, registry, {"v1.13.0": made.digest})) as server:
        environment = {**commands.environment, "SSL_CERT_FILE": str(server.authority)}
        inside = [on_path("unshare", "util-linux"), "--mount", "sh", "-c", SYNC, "sh", hosts]
        said = run([*inside, *COMMAND, "sync", "--data-path", commands.data], environment=environment)
    assert said.startswith(f"talos: published {commands.digests('talos')[0]} (signed by the key sha256:")
    [release] = json.loads(commands.run("releases", "talos", "-o", "json"))
    assert "v1.13.0" == release["version"]
    assert {"cmdline", "initramfs.xz", "vmlinuz", "vmlinuz.efi"} == release["files"].keys()
    assert len(EFI) == release["files"]["vmlinuz.efi"]["size"]
