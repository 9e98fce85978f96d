"""Ignition itself, by its own checker, takes what is served of Butane."""

import subprocess
from contextlib import suppress

import pytest

from lambda_matchbox.answers.butane import respond
from lambda_matchbox.answers.errors import InvalidConfigError
from tests.conformance.butane_vectors import vectors
from tests.rigs.ignition_programs import ignition_validate
from tests.support.serving import started
from tests.unit.test_examples import EXAMPLES

pytestmark = pytest.mark.real


def _refusal(config: bytes) -> str:
    """What the checker has against a config, empty where it would be taken."""
    done = subprocess.run([ignition_validate(), "-"], input=config, capture_output=True, check=False)
    return "" if done.returncode == 0 else done.stderr.decode()


def test_vectors() -> None:
    """Each config that is served for a Butane text without files, but for a version newer than this Ignition's."""
    answers = {}
    for vector in vectors():
        with suppress(InvalidConfigError):
            answers[vector["name"]] = respond("a", vector["butane"].encode()).body
    known = {name: answer for name, answer in answers.items() if b'"version":"3.6.0"' not in answer}
    assert len(known) > 50
    assert {} == {name: refusal for name, answer in known.items() if (refusal := _refusal(answer))}


@pytest.mark.parametrize("name", ["fedora-coreos", "flatcar"])
def test_examples(name: str) -> None:
    """What a machine of an example is served."""
    with started("--address", "127.0.0.1:0", "--data-path", str(EXAMPLES / name)) as serve:
        config = serve.get("/ignition?uuid=0b1c&mac=52-54-00-aa-bb-cc").body
        serve.end()
    assert "" == _refusal(config)


def test_the_checker_refuses() -> None:
    """It takes no config of an unknown version."""
    assert "" != _refusal(b'{"ignition": {"version": "9.9.9"}}')
