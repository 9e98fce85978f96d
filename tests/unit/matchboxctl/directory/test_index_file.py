"""The index beside the files of groups changes no selection, whatever happens to it and to them between two starts."""

import json
import os
import stat
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.web.json_log import JsonLog
from matchboxctl.directory import catalog, changes
from matchboxctl.directory.catalog import DirectoryCatalog
from matchboxctl.directory.index_file import FILE
from matchboxctl.serve.backends import Directories, directory_backend
from matchboxctl.serve.directory_stores import directory_stores

DOCUMENTS: Sequence[dict[str, object]] = [
    {},
    {"profile": "a", "selector": {"os": "1"}},
    {"profile": "b", "selector": {"os": "1"}},
    {"profile": "c", "selector": {"os": ["1", "2", "\u00e9"]}, "metadata": {"a\nb": [-0.0, 1e300, None]}},
    {"profile": "d", "selector": {"mac": ["52:54:00:00:00:01", "52:54:00:00:00:02"], "os": "2"}},
    {"profile": "e", "selector": {"os": "3"}, "boot": {"once": True, "from": ["10.0.0.0/8"]}},
    {"profile": "f", "selector": {"os": "3"}, "boot": {"once": "yes"}},
]
TEXTS = [*map(json.dumps, DOCUMENTS), "", "not JSON"]
NAMES = ["a", "b", "a\nb", "\u00fc", "\udcff"]
LABELS = [*({"os": each} for each in ("1", "2", "3", "\u00e9", "")), {"mac": "52:54:00:00:00:02", "os": "2"}]

_TICK = 0.02
"""Seconds after which every file system's clock has another time."""


@pytest.fixture(autouse=True)
def _for_few_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write an index of a single file, and believe what is older than a tick."""
    monkeypatch.setattr(catalog, "_READ_AT_START", 0)
    monkeypatch.setattr(changes, "_SETTLED_NANOSECONDS", 0)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read."""
    names: list[str] = []
    read_file = catalog.read_file

    def counted(path: str) -> bytes | None:
        names.append(Path(path).name)
        return read_file(path)

    monkeypatch.setattr(catalog, "read_file", counted)
    return names


def rewrite(file: Path, text: str) -> None:
    file.write_text(text)


def replace(file: Path, text: str) -> None:
    new = file.with_name("new")
    new.write_text(text)
    new.replace(file)


def rewrite_at_the_same_time(file: Path, text: str) -> None:
    before = file.stat() if file.exists() else None
    file.write_text(text)
    if before is not None:
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def link(file: Path, text: str) -> None:
    """Rewrite the file elsewhere that this one is a link to from now on."""
    target = file.parents[1] / f"target of {file.name}"
    target.write_text(text)
    file.unlink(missing_ok=True)
    file.symlink_to(target)


def rewrite_target(file: Path, text: str) -> None:
    (file.parents[1] / f"target of {file.name}").write_text(text)


def remove(file: Path, _: str) -> None:
    file.unlink(missing_ok=True)


EDITS: Sequence[Callable[[Path, str], None]] = [
    rewrite,
    replace,
    rewrite_at_the_same_time,
    link,
    rewrite_target,
    remove,
]
EDIT = st.tuples(st.sampled_from(EDITS), st.sampled_from(NAMES), st.sampled_from(TEXTS))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(EDIT, max_size=6), min_size=2, max_size=4))
def test_a_start_with_an_index_equals_one_without(
    edits: list[list[tuple[Callable[[Path, str], None], str, str]]],
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        root, other = Path(scratch, "data"), Path(scratch, "other")
        (root / "groups").mkdir(parents=True)
        other.mkdir()
        (other / "groups").symlink_to(root / "groups")
        for batch in edits:
            for edit, name, text in batch:
                edit(root / "groups" / f"{name}.json", text)
            time.sleep(_TICK)
            assert started(other, keeps_index=False) == started(root, keeps_index=True)
            assert not (other / FILE).exists()


def started(root: Path, *, keeps_index: bool) -> tuple[object, ...]:
    """What a start over the directory finds: groups, selections and warnings."""
    reports: list[str] = []
    with closing(DirectoryCatalog(root, reports.append, keeps_index=keeps_index)) as catalog:
        groups = sorted(catalog.all_groups())
        overlaps = sorted(catalog.overlaps())
        chosen = [selected(catalog, labels) for labels in LABELS]
    return groups, overlaps, chosen, sorted(line.removeprefix(str(root)) for line in reports)


def selected(catalog: DirectoryCatalog, labels: dict[str, str]) -> object:
    try:
        return catalog.select(labels)
    except MatchboxError as error:
        return str(error)


def start(root: Path) -> tuple[list[str], list[str]]:
    """The ids of the groups after a start that may write an index, and the warnings."""
    reports: list[str] = []
    with closing(DirectoryCatalog(root, reports.append, keeps_index=True)) as catalog:
        return sorted(group.id for group in catalog.all_groups()), reports


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data directory of three groups with an index."""
    (tmp_path / "groups").mkdir()
    for number in range(3):
        (tmp_path / "groups" / f"g{number}.json").write_text(json.dumps({"selector": {"os": f"{number}"}}))
    time.sleep(_TICK)
    start(tmp_path)
    return tmp_path


def test_a_start_reads_changed_files_only(root: Path, reads: list[str]) -> None:
    assert (["g0", "g1", "g2"], []) == start(root)
    assert [] == reads
    (root / "groups" / "g1.json").write_text("{}")
    (root / "groups" / "g2.json").unlink()
    assert (["g0", "g1"], []) == start(root)
    assert {"g1.json", "g2.json"} == {*reads}


def test_a_file_that_changed_just_before_the_index_is_read_again(
    root: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / FILE).unlink()
    monkeypatch.setattr(changes, "_SETTLED_NANOSECONDS", 3_600_000_000_000)
    start(root)
    reads.clear()
    start(root)
    assert ["g0.json", "g1.json", "g2.json"] == sorted(reads)


def test_a_file_of_the_future_is_read_again(root: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (root / FILE).unlink()
    real = time.time_ns
    monkeypatch.setattr(changes.time, "time_ns", lambda: real() - 3_600_000_000_000)
    start(root)
    reads.clear()
    start(root)
    assert ["g0.json", "g1.json", "g2.json"] == sorted(reads)


def test_another_process_reads_what_changed_since_the_first_looked(root: Path, reads: list[str]) -> None:
    with closing(DirectoryCatalog(root, pytest.fail)) as catalog:
        (root / "groups" / "g1.json").write_text('{"selector": {"os": "other"}}')
        catalog.watch_again()
        assert ["g1.json"] == reads
        assert catalog.select({"os": "1"}) is None
        assert catalog.select({"os": "other"}) is not None


def test_only_its_owner_may_read_the_index(root: Path) -> None:
    assert 0o600 == stat.S_IMODE((root / FILE).stat().st_mode)


def test_few_files_have_no_index(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / FILE).unlink()
    monkeypatch.setattr(catalog, "_READ_AT_START", 3)
    start(root)
    assert not (root / FILE).exists()


def test_an_index_that_few_files_do_not_renew_is_removed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / FILE).write_bytes(b"")
    monkeypatch.setattr(catalog, "_READ_AT_START", 3)
    assert (["g0", "g1", "g2"], [f"{root / FILE}: damaged, or of another release; ignored"]) == start(root)
    assert (["g0", "g1", "g2"], []) == start(root)


def test_a_start_without_the_right_to_write_it_goes_on(root: Path) -> None:
    (root / FILE).unlink()
    (root / FILE).mkdir()
    assert (["g0", "g1", "g2"], []) == start(root)
    assert ["groups", FILE] == sorted(each.name for each in root.iterdir())


def cut(index: bytes) -> bytes:
    return index[:-1]


def flip(index: bytes) -> bytes:
    return index[:-20] + bytes([index[-20] ^ 1]) + index[-19:]


def of_another_release(index: bytes) -> bytes:
    return index.replace(b'"release": "', b'"release": "1')


def of_another_order(index: bytes) -> bytes:
    return index.replace(b'"order": "', b'"order": "un')


def with_larger_parts(index: bytes) -> bytes:
    return index.replace(b'"sizes": [', b'"sizes": [99999999999999')


DAMAGES: Sequence[Callable[[bytes], bytes]] = [
    cut,
    flip,
    of_another_release,
    of_another_order,
    with_larger_parts,
    lambda _: b"",
    lambda _: b"[]\n",
    lambda _: b"null\n",
    lambda _: b"[" * 999,
    lambda _: b"\xff" * 2000,
    lambda index: index.partition(b"\n")[0],
    lambda index: index + b"\n",
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_another_file_in_its_place_is_not_used(root: Path, reads: list[str], damage: Callable[[bytes], bytes]) -> None:
    good = (root / FILE).read_bytes()
    (root / FILE).write_bytes(damage(good))
    assert (["g0", "g1", "g2"], [f"{root / FILE}: damaged, or of another release; ignored"]) == start(root)
    assert ["g0.json", "g1.json", "g2.json"] == sorted(reads)
    assert good == (root / FILE).read_bytes()
    assert (["g0", "g1", "g2"], []) == start(root)


def test_a_broken_file_has_no_group_of_the_index(root: Path) -> None:
    # While a process runs, the group stays as it was.
    (root / "groups" / "g0.json").write_text('{"boot": {"once": true}}')
    start(root)
    (root / "groups" / "g0.json").write_text("not JSON")
    assert (["g1", "g2"], 1) == (start(root)[0], len(start(root)[1]))


def test_serve_leaves_an_index_and_render_uses_it(root: Path, reads: list[str]) -> None:
    (root / FILE).unlink()
    directory_stores(root, root / "assets", pytest.fail).close()
    assert not (root / FILE).exists()
    backend = directory_backend(Directories(root, root / "assets"), JsonLog("error", StringIO()), None)
    backend.after_fork.__self__.close()  # type: ignore[attr-defined]
    assert "3 groups" in backend.summary
    reads.clear()
    directory_stores(root, root / "assets", pytest.fail).close()
    assert [] == reads
