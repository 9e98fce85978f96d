"""Records what cosign stores; `python -m tests.rigs.cosign_recording` renews the recording."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import urllib3
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tests.rigs.cosign import BUNDLE, REFERRER, TAG, Cosign
from tests.rigs.oci_registry import oci_registry
from tests.support.images.manifests import OCI_INDEX, OCI_MANIFEST, Image, image, index

RECORDING = Path(__file__).parents[1] / "conformance" / "cosign" / "signatures.json"

KEYS = {
    "ecdsa-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "rsa-3072": lambda: rsa.generate_private_key(65537, 3072),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}

SIGNED, OTHER = (index([(image([], labels={"name": name}), "linux/arm64")]) for name in ("signed", "other"))


def main() -> None:
    """Sign two images with each kind of key, in each way."""
    with tempfile.TemporaryDirectory() as directory, oci_registry(tokens=False, redirect=False) as registry:
        cosign = Cosign(Path(directory))
        recorded: list[dict[str, Any]] = []
        for kind, new_key in KEYS.items():
            key = cosign.import_key(kind, new_key())
            for stored in (TAG, REFERRER, BUNDLE):
                repository = f"{kind}/{stored}"
                for number, one in enumerate((SIGNED, OTHER)):
                    registry.push(one, repository, f"tag-{number}")
                    cosign.sign(key, f"{registry.host}/{repository}@{one.digest}", stored)
                url = f"http://{registry.host}/v2/{repository}"
                images = {"signed": dict(_stored(url, SIGNED)), "other": dict(_stored(url, OTHER))}
                recorded.append({"key": key.public, "kind": kind, "stored": stored, **images})
    RECORDING.parent.mkdir(exist_ok=True)
    RECORDING.write_text(json.dumps(recorded, indent=1) + "\n")


def _stored(url: str, one: Image) -> Iterator[tuple[str, str]]:
    """The paths below the repository where signatures of the image lie, and what is there."""
    name = one.digest.replace(":", "-")
    pending = [f"manifests/{name}.sig", f"manifests/{name}"]
    while pending:
        path = pending.pop()
        response = urllib3.request("GET", f"{url}/{path}", headers={"Accept": f"{OCI_INDEX}, {OCI_MANIFEST}"})
        if response.status != 200:
            continue
        yield path, response.data.decode()
        if path.startswith("manifests/"):
            document = response.json()
            pending += [f"manifests/{entry['digest']}" for entry in document.get("manifests", ())]
            pending += [f"blobs/{layer['digest']}" for layer in document.get("layers", ())]


if __name__ == "__main__":
    main()
