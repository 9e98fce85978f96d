"""The programs that judge files for Docker Compose and for Kubernetes, without either."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from tests.rigs.cache import cached
from tests.rigs.go_toolchain import go_build, go_build_source
from tests.rigs.install import install_locked, run

COMPOSE_GO = "github.com/compose-spec/compose-go/v2@v2.16.2"
KUSTOMIZE = "sigs.k8s.io/kustomize/kustomize/v5@v5.8.2"
POD_SECURITY = "k8s.io/pod-security-admission@v0.37.2"
REQUIREMENTS = Path(__file__).with_name("kubernetes-requirements.txt")


def compose_model(file: Path) -> subprocess.CompletedProcess[str]:
    """What Docker Compose's own reader makes of a file, in JSON; it ends with 1 for a file that Compose refuses.

    Raises RigUnavailableError.
    """
    program = cached("compose-go-" + COMPOSE_GO.rpartition("@")[2], lambda into: go_build(COMPOSE_GO, "./cmd", into))
    command = [program / "cmd", "--format", "json", file.name]
    return subprocess.run(command, cwd=file.parent, capture_output=True, text=True, check=False)


def kustomized(directory: Path) -> str:
    """The objects that `kubectl apply --kustomize` sends, in YAML. Raises RigUnavailableError."""
    program = cached("kustomize-" + KUSTOMIZE.rpartition("@")[2], lambda into: go_build(KUSTOMIZE, ".", into))
    return run([program / "kustomize", "build", directory])


def kubernetes_findings(file: Path) -> list[str]:
    """What Kubernetes's schema has against a file's objects, unknown fields included. Raises RigUnavailableError."""
    pinned = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:8]
    packages = cached(
        f"kubernetes-validate-{pinned}",
        lambda into: install_locked(Path(sys.executable), REQUIREMENTS, "--target", into),
    )
    command = [sys.executable, "-P", "-m", "kubernetes_validate", "--strict", file]
    environment = {**os.environ, "PYTHONPATH": str(packages)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    lines = (ended.stdout + ended.stderr).splitlines()
    return [line for line in lines if not line.startswith("INFO ")] if lines else [f"nothing is in {file}"]


def restricted_findings(deployment: object) -> str:
    """What Kubernetes's own admission has against a Deployment's pods in a namespace that enforces `restricted`.

    Raises RigUnavailableError.
    """
    source = Path(__file__).with_name("pod_security.go").read_text()
    program = cached(
        f"pod-security-{POD_SECURITY.rpartition('@')[2]}-{hashlib.sha256(source.encode()).hexdigest()[:8]}",
        lambda into: go_build_source("podsecurity", source, POD_SECURITY, into),
    )
    return subprocess.run(
        [program / "podsecurity"], input=json.dumps(deployment), capture_output=True, text=True, check=True
    ).stdout
