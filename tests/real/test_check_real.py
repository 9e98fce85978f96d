"""`matchboxctl check` follows presigned addresses to a bucket that verifies them."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.support.serving import started
from tests.unit.matchboxctl.check.checked import Checked

pytestmark = pytest.mark.real

KERNEL = bytes(range(256)) * 8000
NAME = "k+ü %41"
"""A name that goes wrong where an address is decoded and encoded again."""


def test_presigned_addresses(
    dynamodb_local: Service, versitygw: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A large file comes from the bucket, which refuses an address that was not sent as it was signed."""
    stated = f"{hashlib.sha256(KERNEL).hexdigest()}  {NAME}\n".encode()
    profile = json.dumps({"boot": {"kernel": "/assets/k%2B%C3%BC%20%2541"}}).encode()
    files = {"groups/g.json": b'{"profile": "p"}', "profiles/p.json": profile}
    for path, body in {**files, f"assets/{NAME}": KERNEL, f"assets/{NAME}.sha256": stated}.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(body)
    stores = new_stores(dynamodb_local, versitygw)
    stores.fill(tmp_path)
    with started("--address", "127.0.0.1:0", environment=stores.environment()) as serve:
        code, lines = Checked(capsys)(f"http://127.0.0.1:{serve.port}")
        serve.end()
    found = f"2,048,000 bytes, SHA-256 as stated, redirected to {versitygw.endpoint}"
    assert (0, f"ok     kernel /assets/k%2B%C3%BC%20%2541  T  {found}") == (code, lines[2])
