"""The data directory is the truth: what is changed there is seen by the next selection."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from matchbox.documents import DocumentError
from matchbox.errors import StoreUnavailableError
from matchbox.stores import Selection
from matchboxctl import directory
from matchboxctl.changes import Changes, Scan
from matchboxctl.directory import DirectoryCatalog, watch

WAYS: dict[str, Callable[[Path], Changes]] = {"best": watch, "scan": Scan}


class Data:
    """A data directory and the catalogue over it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.told: list[str] = []
        self._catalog: DirectoryCatalog | None = None

    @property
    def catalog(self) -> DirectoryCatalog:
        if self._catalog is None:
            self._catalog = DirectoryCatalog(self.root, self.told.append)
        return self._catalog

    def group(self, name: str, **fields: object) -> Path:
        return self.write(f"groups/{name}.json", json.dumps(fields))

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return file

    def selected(self, **labels: str) -> str | None:
        selection = self.catalog.select(labels)
        return None if selection is None else selection.group.id


@pytest.fixture(params=WAYS)
def data(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Data]:
    started: list[Changes] = []

    def way(path: Path) -> Changes:
        started.append(WAYS[request.param](path))
        return started[-1]

    monkeypatch.setattr(directory, "watch", way)
    yield Data(tmp_path)
    for changes in started:
        if (inotify := getattr(changes, "_inotify", None)) is not None:
            inotify.close()


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
def test_linux_has_the_best(tmp_path: Path) -> None:
    """On Linux changes are told by inotify."""
    from matchboxctl.inotify import Watch

    assert isinstance(watch(tmp_path), Watch)


def test_edit(data: Data) -> None:
    """An edited group takes other machines at once, and none of its former."""
    data.group("g", selector={"os": "a"})
    assert "g" == data.selected(os="a")
    data.group("g", selector={"os": "bb"})
    assert (None, "g") == (data.selected(os="a"), data.selected(os="bb"))


def test_edits_of_the_same_length(data: Data) -> None:
    """Each of many edits in a row is seen, though the file's size stays."""
    data.group("g", profile="0")
    assert "g" == data.selected()
    for profile in "123456789":
        file = data.group("new", profile=profile)
        file.replace(data.root / "groups" / "g.json")
        found = data.catalog.select({})
        assert found is not None
        assert profile == found.group.profile


def test_new_file(data: Data) -> None:
    """A group that is added is seen, and more selectors win over fewer."""
    data.group("old")
    assert "old" == data.selected(os="a")
    data.group("new", selector={"os": "a"})
    assert "new" == data.selected(os="a")
    assert 2 == len(data.catalog)


def test_removal(data: Data) -> None:
    """A group that is removed takes nobody."""
    data.group("other")
    file = data.group("g", selector={"os": "a"})
    assert "g" == data.selected(os="a")
    file.unlink()
    assert "other" == data.selected(os="a")


def test_rename(data: Data) -> None:
    """A renamed file is a group of its new name."""
    file = data.group("g", id="written")
    assert "g" == data.selected()
    file.rename(file.with_name("h.json"))
    assert ("h", 1) == (data.selected(), len(data.catalog))
    file.with_name("h.json").rename(file.with_name("h.json.off"))
    assert data.selected() is None


def test_directory_created_later(data: Data) -> None:
    """The directory may come into being, go, and come again while it is served."""
    assert data.selected() is None
    file = data.group("g")
    assert "g" == data.selected()
    file.unlink()
    file.parent.rmdir()
    assert data.selected() is None
    data.group("h")
    assert "h" == data.selected()


def test_directory_replaced(data: Data) -> None:
    """A directory that takes another's place is looked at from then on."""
    data.group("g")
    assert "g" == data.selected()
    (data.root / "groups").rename(data.root / "former")
    data.group("h")
    assert "h" == data.selected()
    data.group("h", selector={"os": "a"})
    assert (None, "h") == (data.selected(), data.selected(os="a"))


@pytest.mark.parametrize("way", ["link", "rename"])
def test_data_directory_replaced(data: Data, tmp_path: Path, way: str) -> None:
    """Where the whole data directory is another one now, groups and profiles are both of that one."""
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


def test_release_that_shares_a_file(data: Data, tmp_path: Path) -> None:
    """A file of a release before, which an edit had replaced since, counts again when that release is served again."""
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


def test_groups_that_cannot_be_read(data: Data, tmp_path: Path) -> None:
    """Where the groups cannot be read a machine is to ask again, and is answered when they can be."""
    data.group("g")
    assert "g" == data.selected()
    (tmp_path / "groups").rename(tmp_path / "former")
    (tmp_path / "groups").symlink_to("groups")
    with pytest.raises(StoreUnavailableError, match="groups cannot be read: Too many levels of symbolic links"):
        data.selected()
    (tmp_path / "groups").unlink()
    data.group("h")
    assert "h" == data.selected()


def test_linked_group(data: Data, tmp_path: Path) -> None:
    """An edit of the file that a symbolic link names is seen, as is its removal and its return."""
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


def test_link_that_leads_nowhere_yet(data: Data, tmp_path: Path) -> None:
    """A link whose file is missing at the start becomes a group when the file is there."""
    data.group("other")
    (tmp_path / "groups" / "g.json").symlink_to(tmp_path / "later")
    assert "other" == data.selected(os="a")
    data.write("later", '{"selector": {"os": "a"}}')
    assert "g" == data.selected(os="a")


def test_link_to_itself(data: Data, tmp_path: Path) -> None:
    """Links that lead round are named, once, and the rest is served."""
    data.group("other")
    (tmp_path / "profiles").mkdir()
    for kind in ("groups", "profiles"):
        (tmp_path / kind / "loop.json").symlink_to("loop.json")
    assert ("other", "other") == (data.selected(), data.selected())
    assert [] == list(data.catalog.profiles())
    for kind in ("groups", "profiles"):
        assert 1 == sum(f"{kind}/loop.json: cannot be read" in line for line in data.told)


def test_broken_group_is_told_once(data: Data) -> None:
    """A group that does not parse is named with its line, once for each state, and is no group until it is mended."""
    data.group("other")
    file = data.write("groups/g.json", '{"selector":\n{"os": 5}}')
    assert ("other", "other") == (data.selected(os="a"), data.selected(os="a"))
    assert 1 == len(data.told)
    assert data.told[0].startswith(f"{file}: line 2: selector.os: ")
    os.utime(file)
    assert "other" == data.selected(os="a")
    assert 1 == len(data.told)
    file.write_text("{")
    assert ("other", 2) == (data.selected(os="a"), len(data.told))
    data.group("g", selector={"os": "a"})
    assert "g" == data.selected(os="a")
    file.write_text("{")
    assert ("other", 3) == (data.selected(os="a"), len(data.told))


def test_broken_profile_is_told_at_the_start_and_once(data: Data) -> None:
    """A profile that does not parse is named before anybody asks, and is no answer: a machine asks again."""
    data.group("g", profile="p")
    file = data.write("profiles/p.json", '{\n"boot": []}')
    for _ in range(2):
        with pytest.raises(DocumentError, match="profile 'p': line 2: boot: "):
            data.catalog.select({})
    assert 1 == len(data.told)
    assert data.told[0].startswith(f"{file}: line 2: boot: ")
    data.write("profiles/p.json", '{"name": "mended"}')
    mended = data.catalog.select({})
    assert mended is not None
    assert mended.profile is not None
    assert "mended" == mended.profile.name
    assert ["p"] == [profile.id for profile in data.catalog.profiles()]


def test_other_files_are_no_groups(data: Data) -> None:
    """Only files that end in .json are groups; a directory that does is none."""
    data.write("groups/g.json~", "{}")
    data.write("groups/.g.json.swp", "{}")
    (data.root / "groups" / "d.json").mkdir()
    assert data.selected() is None
    assert [] == data.told


def test_profiles_and_templates_are_read_when_asked(data: Data) -> None:
    """A profile or template may be edited like a group, and is absent where its file is."""
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
def test_templates_stay_inside(data: Data, template_id: str) -> None:
    """A template's id never leads out of its directory."""
    data.write("secret", "secret")
    data.write("secret.json", '{"name": "secret"}')
    data.write("cloud/inside", "inside")
    assert data.catalog.template("cloud", template_id) is None
    assert data.catalog.profile(template_id) is None
    assert b"inside" == data.catalog.template("cloud", "../a/../inside")


def test_template_names_too_long(data: Data) -> None:
    """A name that no file can have is absent."""
    assert data.catalog.template("cloud", "x" * 300) is None
    assert data.catalog.template("cloud", "\ud800") is None


def test_unreadable_template(data: Data) -> None:
    """A template that cannot be read is another matter than one that is absent."""
    data.write("cloud/c", "")
    (data.root / "cloud" / "loop").symlink_to("loop")
    with pytest.raises(StoreUnavailableError):
        data.catalog.template("cloud", "loop")


def test_rivals_and_selectors(data: Data) -> None:
    """Groups with the same selectors are named, the one that is chosen first."""
    for name in ("b", "a"):
        data.group(name, selector={"os": "x"})
    data.group("c")
    assert [["a", "b"]] == data.catalog.rivals()
    assert 1 == len(data.catalog.selectors(1))
    assert 2 == len(data.catalog.selectors(9))
    assert "a" == data.selected(os="x")


def test_pipe(data: Data) -> None:
    """A pipe among the groups is passed over, not waited for."""
    data.group("other", profile="p")
    os.mkfifo(data.root / "groups" / "pipe.json")
    assert "other" == data.selected()
