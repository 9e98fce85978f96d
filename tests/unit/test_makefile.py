"""The targets of the Makefile."""

import os
import subprocess

import pytest

from tests.support.paths import PROJECT

pytestmark = pytest.mark.system


@pytest.mark.parametrize(
    ("given", "address"), [([], "127.0.0.1:8080"), (["ADDRESS=192.0.2.1:80"], "192.0.2.1:80")], ids=["default", "given"]
)
def test_run_listens_on_this_machine_unless_told_otherwise(given: list[str], address: str) -> None:
    # Without the variables of a `make test` above.
    environment = {"PATH": os.environ["PATH"]}
    printed = subprocess.check_output(["make", "--dry-run", "run", *given], cwd=PROJECT, env=environment, text=True)
    assert f"matchboxctl serve --address {address} --data-path examples/talos" in printed
