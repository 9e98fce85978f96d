"""Commands in this process."""

import pytest

from tests.support.commands import Commands


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes]) -> Commands:
    return Commands(capsysbinary)
