"""What the layers hold is pinned as everything else is."""

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
def test_a_layer_is_part_of_the_lock(layer: str) -> None:
    """A layer has the versions that tests run with, of what its list names and nothing more."""
    pinned = _pinned(f"layers/{layer}/requirements.lock")
    assert pinned <= _pinned("requirements.lock")
    assert _wanted(layer) == {each.partition("==")[0] for each in pinned}


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_lacks_what_the_runtime_has(layer: str) -> None:
    """boto3 and what only it needs come with Lambda's runtime."""
    assert set() == _wanted(layer) & RUNTIMES_OWN


def test_the_library_that_signs() -> None:
    """The function that signs has boot_api's layer and what signs, which boot_api has not."""
    assert {"cffi", "cryptography", "pysequoia"} == _wanted("signed_api") - _wanted("boot_api")
    assert set() == _wanted("boot_api") - _wanted("signed_api")


@pytest.mark.parametrize("layer", ["boot_api", "asset_sync"])
def test_a_layer_lacks_what_the_operators_command_has(layer: str) -> None:
    """gRPC and what it needs reach no function, neither named nor as a dependency."""
    pinned = {each.partition("==")[0] for each in _pinned(f"layers/{layer}/requirements.lock")}
    assert set() == pinned & {"grpcio", "protobuf", "cryptography", "cffi", "pycparser"}
