"""`matchboxctl render` with thousands of groups."""

import json
from pathlib import Path

import pytest

from tests.unit.matchboxctl.render.rendered import Rendered


@pytest.mark.slow
def test_ten_of_thousands_of_groups_are_shown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "groups").mkdir()
    for number in range(3000):
        group = {"profile": "p", "selector": {"mac": f"52:54:00:00:{number // 256:02x}:{number % 256:02x}"}}
        (tmp_path / "groups" / f"g{number:04d}.json").write_text(json.dumps(group))
    rendered = Rendered(capsys, "--data-path", str(tmp_path))
    found = rendered.document("ipxe", mac="52:54:00:00:00:07")
    assert "g0007" == found["group"]["id"]
    assert [f"g{number:04d}" for number in (0, 1, 2, 3, 4, 5, 6, 8, 9, 10)] == [
        one["id"] for one in found["other_groups"]
    ]
    assert 2989 == found["other_groups_left_out"]
