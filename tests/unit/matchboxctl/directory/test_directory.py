"""The data directory is the truth: what is changed there is seen by the next selection."""

import os
import sys
from pathlib import Path

import pytest

from lambda_matchbox.catalog.overlaps import Overlap
from lambda_matchbox.catalog.stores import Selection
from lambda_matchbox.errors import StoreUnavailableError
from matchboxctl.directory.catalog import watch
from tests.unit.matchboxctl.directory.data_directory import Data


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
def test_linux_uses_inotify(tmp_path: Path) -> None:
    from matchboxctl.directory.inotify import Watch

    assert isinstance(watch(tmp_path, {}), Watch)


def test_edited_group_matches_its_new_machines_only(data: Data) -> None:
    data.group("g", selector={"os": "a"})
    assert "g" == data.selected(os="a")
    data.group("g", selector={"os": "bb"})
    assert (None, "g") == (data.selected(os="a"), data.selected(os="bb"))


def test_edits_of_equal_size_are_seen(data: Data) -> None:
    data.group("g", profile="0")
    assert "g" == data.selected()
    for profile in "123456789":
        file = data.group("new", profile=profile)
        file.replace(data.root / "groups" / "g.json")
        found = data.catalog.select({})
        assert found is not None
        assert profile == found.group.profile


def test_added_group_is_seen(data: Data) -> None:
    data.group("old")
    assert "old" == data.selected(os="a")
    data.group("new", selector={"os": "a"})
    assert "new" == data.selected(os="a")
    assert 2 == len(data.catalog)


def test_removed_group_matches_nothing(data: Data) -> None:
    data.group("other")
    file = data.group("g", selector={"os": "a"})
    assert "g" == data.selected(os="a")
    file.unlink()
    assert "other" == data.selected(os="a")


def test_renamed_file_is_another_group(data: Data) -> None:
    file = data.group("g", id="written")
    assert "g" == data.selected()
    file.rename(file.with_name("h.json"))
    assert ("h", 1) == (data.selected(), len(data.catalog))
    file.with_name("h.json").rename(file.with_name("h.json.off"))
    assert data.selected() is None


def test_directory_may_be_created_deleted_and_created_again(data: Data) -> None:
    assert data.selected() is None
    file = data.group("g")
    assert "g" == data.selected()
    file.unlink()
    file.parent.rmdir()
    assert data.selected() is None
    data.group("h")
    assert "h" == data.selected()


def test_edit_of_a_link_target_is_seen(data: Data, tmp_path: Path) -> None:
    target = data.write("elsewhere/target", '{"selector": {"os": "a"}}')
    data.group("other")
    (tmp_path / "groups" / "g.json").symlink_to(target)
    assert "g" == data.selected(os="a")
    target.write_text('{"selector": {"os": "bb"}}')
    assert ("other", "g") == (data.selected(os="a"), data.selected(os="bb"))
    target.unlink()
    assert "other" == data.selected(os="bb")
    target.write_text('{"selector": {"os": "ccc"}}')
    assert "g" == data.selected(os="ccc")


def test_dangling_link_becomes_a_group_with_its_target(data: Data, tmp_path: Path) -> None:
    data.group("other")
    (tmp_path / "groups" / "g.json").symlink_to(tmp_path / "later")
    assert "other" == data.selected(os="a")
    data.write("later", '{"selector": {"os": "a"}}')
    assert "g" == data.selected(os="a")


def test_link_loop_is_reported_once(data: Data, tmp_path: Path) -> None:
    data.group("other")
    (tmp_path / "profiles").mkdir()
    for kind in ("groups", "profiles"):
        (tmp_path / kind / "loop.json").symlink_to("loop.json")
    assert ("other", "other") == (data.selected(), data.selected())
    assert [] == list(data.catalog.profiles())
    for kind in ("groups", "profiles"):
        assert 1 == sum(f"{kind}/loop.json: cannot be read" in line for line in data.reports)


def test_other_files_are_not_groups(data: Data) -> None:
    data.write("groups/g.json~", "{}")
    data.write("groups/.g.json.swp", "{}")
    (data.root / "groups" / "d.json").mkdir()
    assert data.selected() is None
    assert [] == data.reports


def test_profiles_and_templates_are_read_on_demand(data: Data) -> None:
    data.group("g", profile="p")
    selection = data.catalog.select({})
    assert selection is not None
    assert Selection(selection.group, None) == selection
    assert data.catalog.profile("") is None
    assert data.catalog.template("cloud", "c") is None
    for text in ("one", "two"):
        data.write("cloud/c", text)
        assert text.encode() == data.catalog.template("cloud", "c")


@pytest.mark.parametrize("template_id", ["../secret", "/../secret", "../../data/secret", "a/../../secret", "x\0", "."])
def test_template_id_never_leaves_its_directory(data: Data, template_id: str) -> None:
    data.write("secret", "secret")
    data.write("secret.json", '{"name": "secret"}')
    data.write("cloud/inside", "inside")
    assert data.catalog.template("cloud", template_id) is None
    assert data.catalog.profile(template_id) is None
    assert b"inside" == data.catalog.template("cloud", "../a/../inside")


def test_impossible_file_name_is_absent(data: Data) -> None:
    assert data.catalog.template("cloud", "x" * 300) is None
    assert data.catalog.template("cloud", "\ud800") is None


def test_unreadable_template_is_not_absent(data: Data) -> None:
    data.write("cloud/c", "")
    (data.root / "cloud" / "loop").symlink_to("loop")
    with pytest.raises(StoreUnavailableError):
        data.catalog.template("cloud", "loop")


def test_overlapping_groups_are_listed(data: Data) -> None:
    for name in ("b", "a"):
        data.group(name, selector={"os": "x"})
    data.group("c")
    assert [Overlap(("a", "b"))] == data.catalog.overlaps()
    assert 1 == len(data.catalog.selectors(1))
    assert 2 == len(data.catalog.selectors(9))
    assert "a" == data.selected(os="x")


def test_pipe_is_skipped(data: Data) -> None:
    data.group("other", profile="p")
    os.mkfifo(data.root / "groups" / "pipe.json")
    assert "other" == data.selected()
