"""Checks of a deployed stack by its owner: `make test-aws STACK=…` runs them, and nothing else does.

They read, and ask the front door what a stranger or a machine without a name might ask. docs/deploy.md lists them.
"""

import os

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.aws.deployed import Deployed


@pytest.fixture(scope="session")
def deployed() -> Deployed:
    name, region = os.environ.get("STACK"), os.environ.get("REGION") or None
    if not name:
        pytest.exit("name the stack: make test-aws STACK=matchbox REGION=eu-central-1", 2)
    try:
        return Deployed(name, region)
    except (BotoCoreError, ClientError) as error:
        pytest.exit(f"cannot read stack {name!r} (STACK, REGION, and AWS_PROFILE or other credentials): {error}", 2)


@pytest.fixture(scope="session")
def load() -> int:
    """How many requests are sent at once."""
    return int(os.environ.get("LOAD") or 20)
