"""The layers' packages and versions."""

import re

import pytest

from tools.template_translation import PROJECT

LAYERS = ["boot_api", "signed_api", "asset_sync"]

RUNTIMES_OWN = {"boto3", "botocore", "python-dateutil", "s3transfer", "six"}


def _pinned(lock: str) -> set[str]:
    """The versions that a lock file names, each with a digest."""
    pinned = re.compile(r"^([a-z0-9-]+==[^ ]+)(?: ; .*)? \\\n +--hash=sha256:", re.MULTILINE)
    return set(pinned.findall((PROJECT / lock).read_text()))


def _wanted(layer: str) -> set[str]:
    lines = (PROJECT / "layers" / layer / "requirements.in").read_text().splitlines()
    return {line for line in lines if not line.startswith("#")}


@pytest.mark.parametrize("layer", LAYERS)
def test_layer_has_the_locked_versions(layer: str) -> None:
    pinned = _pinned(f"layers/{layer}/requirements.lock")
    assert pinned <= _pinned("requirements.lock")
    assert _wanted(layer) == {each.partition("==")[0] for each in pinned}


@pytest.mark.parametrize("layer", LAYERS)
def test_layer_lacks_the_runtimes_packages(layer: str) -> None:
    assert set() == _wanted(layer) & RUNTIMES_OWN


def test_signed_api_adds_the_signing_libraries() -> None:
    assert {"cffi", "cryptography", "pysequoia"} == _wanted("signed_api") - _wanted("boot_api")
    assert set() == _wanted("boot_api") - _wanted("signed_api")


@pytest.mark.parametrize("layer", LAYERS)
def test_layer_has_no_grpc(layer: str) -> None:
    assert set() == _wanted(layer) & {"grpcio", "protobuf"}


def test_boot_path_has_no_cryptography() -> None:
    assert set() == _wanted("boot_api") & {"cryptography", "cffi", "pycparser"}
