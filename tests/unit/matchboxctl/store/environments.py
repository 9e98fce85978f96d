"""Environments of commands on table and bucket."""

import pytest


def set_environment(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    """Fake credentials, and an endpoint of all services."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "fake",
        "AWS_SECRET_ACCESS_KEY": "fake",
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
