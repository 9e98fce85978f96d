import pytest

from tests.unit.matchboxctl.check.checked import Checked


@pytest.fixture
def checked(capsys: pytest.CaptureFixture[str]) -> Checked:
    return Checked(capsys)
