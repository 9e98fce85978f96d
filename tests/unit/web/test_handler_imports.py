"""What a machine that boots first waits for."""

import json
import subprocess
import sys

import pytest

from tests.support.paths import PROJECT

PROGRAM = """
import json, sys
import boot_api.handler
boot_api.handler._app()
print(json.dumps([*sys.modules]))
"""
ENVIRONMENT = {
    "PYTHONPATH": str(PROJECT / "functions"),
    "MATCHBOX_TABLE": "t",
    "MATCHBOX_BUCKET": "b",
    "AWS_REGION": "r",
}
LATER = {
    "aws_lambda_powertools",
    "boto3",
    "concurrent.futures",
    "dataclasses",
    "email",
    "gotpl",
    "http",
    "inspect",
    "logging",
    "pydantic",
    "re2",
    "urllib.parse",
    "urllib3",
    "uuid",
    "xml",
    "yaml",
}
"""Each takes from one to ten hundredths of the import, or more."""


@pytest.mark.system
def test_first_response_waits_for_no_import_that_it_does_not_need() -> None:
    command = [sys.executable, "-S", "-c", PROGRAM]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, check=True)
    assert set() == LATER & set(json.loads(done.stdout))
