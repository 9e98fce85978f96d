"""cosign, built from its Go modules: version 2 stores signatures under tags, version 3 bundles as referrers."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from tests.rigs.cache import cached
from tests.rigs.failure import RigFailedError
from tests.rigs.go_toolchain import go_build

VERSIONS = {2: "v2.6.5", 3: "v3.1.3"}

TAG, REFERRER, BUNDLE = "tag", "referrer", "bundle"
"""How signatures are stored: by version 2 under a tag or, on request, as a referrer; by version 3 as bundles."""


class CosignKey(NamedTuple):
    """A key that cosign has imported: its file, and the public key in PEM."""

    file: Path
    public: str


class Cosign:
    """Both versions of cosign, with keys and settings in `directory`; they ask no service."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._programs = {major: cosign_program(major) for major in VERSIONS}
        self._services = directory / "no-services.json"
        self._run(3, "signing-config", "create", "--out", self._services)

    def import_key(self, name: str, key: PrivateKeyTypes) -> CosignKey:
        """The key under a name."""
        pem = self._directory / f"{name}.pem"
        pem.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        self._run(2, "import-key-pair", "--yes", "--key", pem, "--output-key-prefix", self._directory / name)
        return CosignKey(self._directory / f"{name}.key", (self._directory / f"{name}.pub").read_text())

    def sign(self, key: CosignKey, reference: str, stored: str, *more: str) -> None:
        """Sign an image, to which `reference` leads by its digest."""
        flags: Sequence[str | Path] = ("--yes", "--key", key.file, *more)
        if stored == BUNDLE:
            self._run(3, "sign", *flags, "--signing-config", self._services, reference)
            return
        referrer = ("--registry-referrers-mode=oci-1-1",) if stored == REFERRER else ()
        self._run(2, "sign", *flags, "--tlog-upload=false", *referrer, reference)

    def attest(self, key: CosignKey, reference: str, predicate: Path) -> None:
        """Store a statement about an image in a bundle that the key signs."""
        flags: Sequence[str | Path] = ("--yes", "--key", key.file, "--predicate", predicate)
        self._run(3, "attest", *flags, "--signing-config", self._services, reference)

    def verify_keyless(self, reference: str, trusted_root: Path, identity: str, issuer: str) -> None:
        """Verify a signature by that identity. Raises RigFailedError where it is not good."""
        signer = ("--certificate-identity", identity, "--certificate-oidc-issuer", issuer)
        self._run(3, "verify", "--trusted-root", trusted_root, *signer, reference)

    def _run(self, major: int, *arguments: str | Path) -> None:
        environment = {
            "HOME": str(self._directory),
            "PATH": os.environ["PATH"],
            "COSIGN_PASSWORD": "",
            "COSIGN_EXPERIMENTAL": "1",
        }
        done = subprocess.run(
            [self._programs[major], *arguments],
            env=environment,
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RigFailedError(f"cosign {arguments[0]} ended with {done.returncode}: {done.stderr}")


def cosign_program(major: int) -> Path:
    """The program of that version. Raises RigUnavailableError."""
    version = VERSIONS[major]
    module = f"github.com/sigstore/cosign/v{major}@{version}"
    return cached(f"cosign-{version}", lambda unfinished: go_build(module, "./cmd/cosign", unfinished)) / "cosign"
