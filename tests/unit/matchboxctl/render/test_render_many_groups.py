"""`matchboxctl render` with thousands of groups."""

import json
from pathlib import Path

import pytest

from matchboxctl.render.other_groups import MOST_LOOKED_AT
from tests.unit.matchboxctl.render.rendered import Rendered


@pytest.mark.slow
def test_of_thousands_of_groups_those_that_match_are_looked_at_first(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "groups").mkdir()
    groups = {
        f"g{number}": {"profile": "p", "selector": {"mac": f"52:54:00:00:{number // 256:02x}:{number % 256:02x}"}}
        for number in range(MOST_LOOKED_AT)
    }
    for name, group in {**groups, "others": {"profile": "p"}, "arm": {"selector": {"arch": "arm64"}}}.items():
        (tmp_path / "groups" / f"{name}.json").write_text(json.dumps(group))
    rendered = Rendered(capsys, "--data-path", str(tmp_path))
    found = rendered.document("ipxe", mac="52:54:00:00:00:07", arch="arm64")
    assert "g7" == found["group"]["id"]
    assert ["arm", "others"] == [one["id"] for one in found["other_groups"][:2]]
    assert [{}, {}] == [one["lacks"] for one in found["other_groups"][:2]]
    assert not found["other_groups_complete"]
    assert MOST_LOOKED_AT == 1 + len(found["other_groups"]) + found["other_groups_left_out"]
    _, text = rendered("ipxe", mac="52:54:00:00:00:07", arch="arm64")
    assert "and others: 2,000 groups were looked at, those that match first" in text
    (tmp_path / "groups" / "g0.json").unlink()
    (tmp_path / "groups" / "g1.json").unlink()
    assert rendered.document("ipxe", mac="52:54:00:00:00:07")["other_groups_complete"]
