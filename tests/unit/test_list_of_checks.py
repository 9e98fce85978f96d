"""docs/deploy.md lists what only AWS can show, with the check that shows it."""

import re

from tests.aws import test_account, test_door
from tests.support.paths import PROJECT


def test_each_check_has_a_row_and_each_row_a_check() -> None:
    text = (PROJECT / "docs" / "deploy.md").read_text()
    rows = re.findall(r"`make test-aws STACK=… ONLY=(\w+)(?: LOAD=1000)?` \|$", text, re.MULTILINE)
    names = [*vars(test_account), *vars(test_door)]
    assert sorted(name.removeprefix("test_") for name in names if name.startswith("test_")) == sorted(rows)
