"""What Talos' own schema redacts, and the keys and kinds that it knows."""

import base64
import re
from pathlib import Path

import pytest

from matchboxctl.talos.known_keys import KEYS, KINDS
from matchboxctl.talos.machine_config import MachineConfig, scalars
from matchboxctl.talos.secret_values import Secrets
from matchboxctl.talos.template import secret_edits
from tests.rigs.talos_machinery import gen_config, gen_secrets, known_keys, redacted, refusal

pytestmark = pytest.mark.real


def test_every_value_that_talos_redacts_is_a_secret(tmp_path: Path) -> None:
    gen_secrets(tmp_path / "secrets.yaml", "v1.12")
    gen_config(tmp_path / "secrets.yaml", tmp_path, "v1.12")
    file = tmp_path / "controlplane.yaml"
    key = base64.b64encode(b"-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n").decode()
    file.write_text(
        file.read_text()
        + f"""
---
apiVersion: v1alpha1
kind: WireguardConfig
name: wg0
privateKey: {base64.b64encode(bytes(range(32))).decode()}
addresses: [{{address: 10.1.0.1/24}}]
peers: [{{publicKey: {base64.b64encode(bytes(32)).decode()}, presharedKey: {base64.b64encode(b"k" * 32).decode()}}}]
---
apiVersion: v1alpha1
kind: RegistryAuthConfig
name: ghcr.io
username: me
password: some-password
---
apiVersion: v1alpha1
kind: RegistryTLSConfig
name: ghcr.io
clientIdentity: {{cert: {key}, key: {key}}}
---
apiVersion: v1alpha1
kind: SideroLinkConfig
apiUrl: https://omni.example/?jointoken=some-token
"""
    )
    config = MachineConfig(file.read_text())
    _, paths = secret_edits(config, "demo", Secrets(), file.name)
    masked = MachineConfig(redacted(file))
    found = {
        (document.title, path)
        for document in masked.documents
        for path, node in scalars(document.node)
        if "******" in node.value
    }
    assert 13 <= len(found)
    assert not found - {(title, path) for title, each in paths.items() for path in each}


def test_known_keys_and_kinds_are_those_of_talos(tmp_path: Path) -> None:
    theirs = known_keys()
    # Those of certificates and keys are of another package.
    own = {path: keys for path, keys in KEYS.items() if not keys <= {"crt", "key"}}
    assert own == {path: theirs[path] for path in own}
    file = tmp_path / "kinds.yaml"
    file.write_text("".join(f"---\napiVersion: v1alpha1\nkind: {kind}\n" for kind in [*sorted(KINDS), "Other"]))
    assert re.search(r'"Other".*not registered', refusal(file)), refusal(file)
