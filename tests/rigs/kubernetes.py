"""The API server of a Kubernetes without nodes, built from its Go module: it judges objects and who may do what."""

import hashlib
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.rigs.cache import cached
from tests.rigs.failure import RigFailedError
from tests.rigs.go_toolchain import go_build_source, go_source
from tests.rigs.program import free_port, running, scratch_directory

MODULE = "k8s.io/kubernetes@v1.36.3"
_ADMINISTRATOR = "administrator"


class Kubernetes(NamedTuple):
    """A cluster's API server."""

    program: Path
    directory: Path
    address: str

    def kubectl(self, *arguments: str | Path, token: str = _ADMINISTRATOR) -> str:
        """What kubectl prints, for the administrator or whose token it is. Raises RigFailedError."""
        certificate = self.directory / "certificates" / "apiserver.crt"
        server = ("--server", self.address, "--token", token, "--certificate-authority", certificate)
        ended = subprocess.run(
            [self.program, "kubectl", *arguments, *server],
            env={"HOME": str(self.directory)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode != 0:
            raise RigFailedError(f"kubectl {arguments[0]}: {ended.stderr}")
        return ended.stdout


@contextmanager
def kubernetes() -> Iterator[Kubernetes]:
    """An API server on a free port of 127.0.0.1, with nothing but what it makes itself. Raises RigUnavailableError."""
    source = Path(__file__).with_name("kubernetes.go").read_text()
    name = f"kubernetes-{MODULE.rpartition('@')[2]}-{hashlib.sha256(source.encode()).hexdigest()[:8]}"
    program = cached(name, lambda into: _build(source, into)) / "kubernetes"
    with scratch_directory() as directory:
        for each in ("etcd", "api"):
            (directory / each).mkdir()
        client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        etcd = [program, "etcd", "--data-dir", directory / "etcd" / "data", "--unsafe-no-fsync"]
        etcd += ["--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer]
        key, tokens = directory / "accounts.pem", directory / "tokens.csv"
        key.write_bytes(
            rsa.generate_private_key(65537, 2048).private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        tokens.write_text(f"{_ADMINISTRATOR},{_ADMINISTRATOR},0,system:masters\n")
        port = free_port()
        api = [program, "kube-apiserver", f"--etcd-servers={client}", "--bind-address=127.0.0.1"]
        api += [f"--secure-port={port}", f"--cert-dir={directory}/certificates", f"--token-auth-file={tokens}"]
        api += ["--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24"]
        api += ["--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={key}"]
        api += [f"--service-account-signing-key-file={key}"]
        with running(etcd, directory / "etcd", {}), running(api, directory / "api", {}) as server:
            cluster = Kubernetes(program, directory, f"https://127.0.0.1:{port}")
            server.wait_for(lambda: _is_ready(cluster), "its readiness")
            yield cluster


def _is_ready(cluster: Kubernetes) -> bool | None:
    try:
        return cluster.kubectl("get", "--raw", "/readyz") == "ok" or None
    except RigFailedError:
        return None


def _build(source: str, directory: Path) -> None:
    version = MODULE.rpartition("@")[2].replace("v1.", "v0.", 1)
    # Its own modules lie in its repository, from which it builds.
    own = re.findall(r"^\t(k8s\.io/\S+) v0\.0\.0$", (go_source(MODULE) / "go.mod").read_text(), re.MULTILINE)
    go_build_source("kubernetes", source, MODULE, directory, *(f"{each} => {each} {version}" for each in own))
