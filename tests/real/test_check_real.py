"""`matchboxctl check` against a bucket that verifies presigned addresses, and against matchbox itself."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.rigs.matchbox_server import running_matchbox
from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.support.data_files import write_files
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
    write_files(tmp_path, {**files, f"assets/{NAME}": KERNEL, f"assets/{NAME}.sha256": stated})
    stores = new_stores(dynamodb_local, versitygw)
    stores.fill(tmp_path)
    with started("--address", "127.0.0.1:0", environment=stores.environment()) as serve:
        code, lines = Checked(capsys)(f"http://127.0.0.1:{serve.port}")
        serve.end()
    found = f"2,048,000 bytes, SHA-256 as stated, redirected to {versitygw.endpoint}"
    assert (0, f"ok     kernel /assets/k%2B%C3%BC%20%2541  T  {found}") == (code, lines[2])


@pytest.mark.nightly
def test_matchbox_itself_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An address without the label that the group selects by, and one with it."""
    data = tmp_path / "data"
    with running_matchbox(data, tmp_path) as (url, _):
        files: dict[str, str] = {"assets/k": "kernel", "generic/t": "version: v1alpha1\nmachine:\n  type: worker\n"}
        for name, query in {"with": "uuid=${uuid}&is=with", "without": "uuid=${uuid}"}.items():
            args = [f"talos.config={url}/generic?{query}"]
            profile = {"id": name, "generic_id": "t", "boot": {"kernel": "/assets/k", "args": args}}
            files[f"profiles/{name}.json"] = json.dumps(profile)
            files[f"groups/{name}.json"] = json.dumps({"id": name, "profile": name, "selector": {"is": name}})
        write_files(data, files)
        checked = Checked(capsys)
        code, lines = checked(url, "--label", "is=with")
        assert (0, True) == (code, "  T  Talos v1alpha1 worker, 42 bytes, with made-up uuid" in lines[3])
        why = "no group matches the labels of this address (uuid): it lacks is; add is=…"
        assert f"404 from {url}: {why}" == checked.failure(url, "--label", "is=without")
