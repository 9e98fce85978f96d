"""A directory that another one has replaced is not served any more."""

import json
import os
from pathlib import Path

import pytest

from lambda_matchbox.errors import StoreUnavailableError
from tests.unit.matchboxctl.directory.data_directory import Data


def test_replaced_groups_directory_is_watched(data: Data) -> None:
    data.group("g")
    assert "g" == data.selected()
    (data.root / "groups").rename(data.root / "former")
    data.group("h")
    assert "h" == data.selected()
    data.group("h", selector={"os": "a"})
    assert (None, "h") == (data.selected(), data.selected(os="a"))


@pytest.mark.parametrize("way", ["link", "rename"])
def test_replaced_data_directory_is_used(data: Data, tmp_path: Path, way: str) -> None:
    for release in ("1", "2"):
        for name in ("both", f"only-{release}"):
            file = tmp_path / release / "groups" / f"{name}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({"profile": "p", "selector": {"os": f"{name}-{release}"}}))
        profile = tmp_path / release / "profiles" / "p.json"
        profile.parent.mkdir()
        profile.write_text(json.dumps({"name": release}))
    served = Data(tmp_path / "current")
    if way == "link":
        served.root.symlink_to("1")
    else:
        (tmp_path / "1").rename(served.root)
    assert ("both", "only-1") == (served.selected(os="both-1"), served.selected(os="only-1-1"))
    # Told by inotify, unknown to the look at the start.
    served.group("later", selector={"os": "later"})
    assert "later" == served.selected(os="later")
    if way == "link":
        (tmp_path / "next").symlink_to("2")
        (tmp_path / "next").rename(served.root)
    else:
        served.root.rename(tmp_path / "former")
        (tmp_path / "2").rename(served.root)
    selection = served.catalog.select({"os": "both-2"})
    assert selection is not None
    assert selection.profile is not None
    assert ("both", "2") == (selection.group.id, selection.profile.name)
    assert "only-2" == served.selected(os="only-2-2")
    assert [None, None, None] == [served.selected(os=value) for value in ("both-1", "only-1-1", "later")]


def test_file_of_an_earlier_release_counts_again(data: Data, tmp_path: Path) -> None:
    data.group("g", selector={"os": "a"})
    os.link(tmp_path / "groups" / "g.json", tmp_path / "kept")
    assert "g" == data.selected(os="a")
    data.group("new", selector={"os": "b"}).rename(tmp_path / "groups" / "g.json")
    assert "g" == data.selected(os="b")
    (tmp_path / "again").mkdir()
    (tmp_path / "kept").rename(tmp_path / "again" / "g.json")
    (tmp_path / "groups").rename(tmp_path / "former")
    (tmp_path / "again").rename(tmp_path / "groups")
    assert ("g", None) == (data.selected(os="a"), data.selected(os="b"))


def test_unreadable_groups_are_unavailable(data: Data, tmp_path: Path) -> None:
    data.group("g")
    assert "g" == data.selected()
    (tmp_path / "groups").rename(tmp_path / "former")
    (tmp_path / "groups").symlink_to("groups")
    with pytest.raises(StoreUnavailableError, match="groups cannot be read: Too many levels of symbolic links"):
        data.selected()
    (tmp_path / "groups").unlink()
    data.group("h")
    assert "h" == data.selected()
