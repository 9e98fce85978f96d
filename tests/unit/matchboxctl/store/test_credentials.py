"""Credentials of store mode."""

import subprocess
import sys
from pathlib import Path

import pytest

from lambda_matchbox.aws.clients.sigv4 import Credentials
from matchboxctl.cli.errors import UsageError
from matchboxctl.store.mode import StoreSettings, chosen_store
from tests.unit.matchboxctl.store.environments import set_environment

NOWHERE = "http://127.0.0.1:1"

PROGRAM = """
import sys
from lambda_matchbox.aws.clients import light_clients
from matchboxctl.main import main
light_clients._ATTEMPTS = 1
assert main(["sync"]) == 1
print(*(name for name in ("boto3", "botocore") if name in sys.modules))
"""


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, NOWHERE)
    monkeypatch.setenv("MATCHBOX_TABLE", "t")
    monkeypatch.setenv("MATCHBOX_BUCKET", "b")


@pytest.mark.system
def test_sync_with_keys_in_the_environment_needs_no_botocore() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True)
    assert "connection refused" in ended.stderr
    assert "boto" not in ended.stdout


def test_keys_are_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret", "SESSION_TOKEN": "token"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    store = chosen_store("")
    assert isinstance(store, StoreSettings)
    credentials = store.session.get_credentials()
    assert credentials is not None
    assert Credentials("key", "secret", "token") == store.credentials()
    assert ("key", "secret", "token") == tuple(credentials.get_frozen_credentials())[:3]


@pytest.mark.parametrize("variable", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])
def test_profile_counts_beside_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "absent"))
    monkeypatch.setenv(variable, "nobody")
    with pytest.raises(UsageError, match="nobody"):
        chosen_store("")
