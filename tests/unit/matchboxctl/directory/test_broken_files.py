"""Files of a data directory that cannot be read, and groups with a policy meanwhile."""

import os
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from lambda_matchbox.errors import DocumentError, StoreUnavailableError
from matchboxctl.directory import catalog
from tests.unit.matchboxctl.directory.data_directory import Data


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
    data.write("profiles/p.json", '{"name": "repaired"}')
    repaired = data.catalog.select({})
    assert repaired is not None
    assert repaired.profile is not None
    assert "repaired" == repaired.profile.name
    assert ["p"] == [profile.id for profile in data.catalog.profiles()]
