"""Ignition itself, by its own checker, takes what is served of Butane."""

import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from lambda_matchbox.answers.butane import respond
from lambda_matchbox.answers.errors import InvalidConfigError
from tests.conformance.butane_vectors import vectors
from tests.rigs.ignition_programs import ignition_validate
from tests.support.example_data import example_with_secrets, with_token
from tests.support.serving import started

pytestmark = pytest.mark.real


def _refusal(config: bytes) -> str:
    """What the checker has against a config, empty where it would be taken."""
    done = subprocess.run([ignition_validate(), "-"], input=config, capture_output=True, check=False)
    return "" if done.returncode == 0 else done.stderr.decode()


def test_vectors() -> None:
    """Each config that is served for a Butane text without files, but for a version newer than this Ignition's."""
    configs = {}
    for vector in vectors():
        with suppress(InvalidConfigError):
            configs[vector["name"]] = respond("a", vector["butane"].encode()).body
    known = {name: config for name, config in configs.items() if b'"version":"3.6.0"' not in config}
    assert len(known) > 50
    assert {} == {name: refusal for name, config in known.items() if (refusal := _refusal(config))}


@pytest.mark.parametrize(("name", "more"), [("fedora-coreos", ""), ("flatcar", ""), ("flatcar", "&os=installed")])
def test_examples(name: str, more: str, tmp_path: Path) -> None:
    """What a machine of an example is served."""
    data = example_with_secrets(name, tmp_path / "data")
    with started("--address", "127.0.0.1:0", "--data-path", str(data)) as serve:
        response = serve.get(f"/ignition?{with_token(serve, 'uuid=0b1c&mac=52-54-00-aa-bb-cc')}{more}")
        serve.end()
    assert (200, "") == (response.status, _refusal(response.body))


def test_the_checker_refuses() -> None:
    """It takes no config of an unknown version."""
    assert "" != _refusal(b'{"ignition": {"version": "9.9.9"}}')
