"""The data directory is the truth: what is changed there is seen by the next selection."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from lambda_matchbox.catalog.overlaps import Overlap
from lambda_matchbox.catalog.stores import Selection
from lambda_matchbox.errors import DocumentError, StoreUnavailableError
from matchboxctl.directory import catalog
from matchboxctl.directory.catalog import watch
from tests.unit.matchboxctl.directory.data_directory import WAYS, Data, watched


@pytest.fixture(params=WAYS)
def data(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Data]:
    with watched(WAYS[request.param], tmp_path, monkeypatch) as data:
        yield data


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
def test_linux_uses_inotify(tmp_path: Path) -> None:
    from matchboxctl.directory.inotify import Watch

    assert isinstance(watch(tmp_path), Watch)


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


def test_broken_group_is_reported_once_per_state(data: Data) -> None:
    data.group("other")
    file = data.write("groups/g.json", '{"selector":\n{"os": 5}}')
    assert ("other", "other") == (data.selected(os="a"), data.selected(os="a"))
    assert 1 == len(data.reports)
    assert data.reports[0].startswith(f"{file}: line 2: selector.os: ")
    os.utime(file)
    assert "other" == data.selected(os="a")
    assert 1 == len(data.reports)
    file.write_text("{")
    assert ("other", 2) == (data.selected(os="a"), len(data.reports))
    data.group("g", selector={"os": "a"})
    assert "g" == data.selected(os="a")
    file.write_text("{")
    assert ("other", 3) == (data.selected(os="a"), len(data.reports))


@pytest.mark.parametrize("boot", [{"onse": True}, {"approve": "yes"}, {"from": ["10.0.0.0/33"]}, [], "once"])
def test_machines_of_a_group_with_a_wrong_policy_fall_to_no_other(data: Data, boot: object) -> None:
    """Which may let them do what theirs was to prevent."""
    data.group("other")
    data.group("g", selector={"os": "a"}, boot=boot)
    assert "other" == data.selected(os="b")
    with pytest.raises(DocumentError, match=r"group .g.: .*boot"):
        data.selected(os="a")
    assert 1 == len(data.reports)
    data.group("g", selector={"os": "a"}, boot={"once": True})
    assert "g" == data.selected(os="a")
    data.group("g", selector={"os": "a"}, boot=boot)
    (data.root / "groups" / "g.json").unlink()
    assert "other" == data.selected(os="a")


@pytest.mark.parametrize("boot", [{"approve": True}, {"onse": True}])
def test_machines_of_a_group_with_a_policy_fall_to_no_other_while_its_file_is_broken(data: Data, boot: object) -> None:
    data.group("other")
    file = data.group("g", selector={"os": "a"}, boot=boot)
    expected = outcome(data)
    damages = (cut, empty, link_to_itself, link_to_nothing, replace_by_directory)
    for damage in damages:
        damage(file)
        assert expected == outcome(data)
        assert data.reports[-1].endswith("the group is as it was, since it has a boot policy")
    file.rmdir()
    assert "other" == data.selected(os="a")
    file.write_text("{")
    assert "other" == data.selected(os="a")


@pytest.mark.parametrize("boot", [None, {"approve": True}])
def test_a_file_is_read_again_after_its_disk_has_failed(
    data: Data, monkeypatch: pytest.MonkeyPatch, boot: object
) -> None:
    """There is no other change then. Of many files some are read for each selection."""
    policy = {} if boot is None else {"boot": boot}
    data.group("other")
    for number in range(9):
        data.group(f"g{number}", selector={"os": f"{number}"}, **policy)
    assert "g0" == data.selected(os="0")
    with monkeypatch.context() as failing:
        failing.setattr(catalog, "read_file", MagicMock(side_effect=StoreUnavailableError("cannot be read")))
        for number in range(9):
            data.group(f"g{number}", selector={"os": f"new {number}"}, **policy)
        for _ in range(3):
            assert ("other" if boot is None else "g0") == data.selected(os="0")
    for _ in range(3):
        data.selected()
    assert [f"g{number}" for number in range(9)] == [data.selected(os=f"new {number}") for number in range(9)]


def outcome(data: Data) -> object:
    try:
        selection = data.catalog.select({"os": "a"})
    except DocumentError as error:
        return str(error)
    return None if selection is None else selection.group


def cut(file: Path) -> None:
    file.write_text('{"selector": {"os"')


def empty(file: Path) -> None:
    file.write_text("")


def link_to_itself(file: Path) -> None:
    file.unlink()
    file.symlink_to(file)


def link_to_nothing(file: Path) -> None:
    """As to a file system that is not mounted."""
    file.unlink()
    file.symlink_to(file.with_name("absent"))


def replace_by_directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


def test_an_edit_of_a_wrong_policy_lets_no_machine_through(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread reads the edit as soon as the first one has selected the group."""
    file = data.group("g", boot={"onse": True})
    edits = ["{}"]

    def released(*_: object) -> None:
        if edits:
            file.write_text(edits.pop())
            assert "g" == getattr(data.catalog.group_for({}), "id", None)

    lock = MagicMock()
    lock.__exit__.side_effect = released
    monkeypatch.setattr(data.catalog, "_lock", lock)
    with pytest.raises(DocumentError, match=r"group .g.: .*boot"):
        data.selected()
    assert "g" == data.selected()


def test_broken_profile_is_reported_at_the_start_and_once(data: Data) -> None:
    data.group("g", profile="p")
    file = data.write("profiles/p.json", '{\n"boot": []}')
    for _ in range(2):
        with pytest.raises(DocumentError, match="profile 'p': line 2: boot: "):
            data.catalog.select({})
    assert 1 == len(data.reports)
    assert data.reports[0].startswith(f"{file}: line 2: boot: ")
    data.write("profiles/p.json", '{"name": "mended"}')
    mended = data.catalog.select({})
    assert mended is not None
    assert mended.profile is not None
    assert "mended" == mended.profile.name
    assert ["p"] == [profile.id for profile in data.catalog.profiles()]


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
