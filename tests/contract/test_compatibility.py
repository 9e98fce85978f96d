"""Documents with more than matchbox supports: lists in selectors, metadata of profiles."""

import json
from pathlib import Path

import pytest

from tests.contract.conftest import Run
from tests.contract.test_import_export import NOTHING, contents
from tests.rigs.stores import Stores
from tests.support.data_files import write_files


def test_metadata_of_profiles_survives_import_and_export(data: Path, stores: Stores, run: Run, tmp_path: Path) -> None:
    documents: dict[str, dict[str, object]] = {
        "short": {"boot": {"kernel": "k"}, "metadata": {"a": {"b": [1, 2.5, None]}}},
        "long": {"metadata": {"list": ["x" * 1000] * 500}},
        "empty": {"metadata": {}},
    }
    for name, document in documents.items():
        (data / "profiles" / f"{name}.json").write_text(json.dumps(document))
    assert 0 == run("import", data)
    before = contents(stores)
    assert 0 == run("export", tmp_path / "out")
    for name, document in documents.items():
        written = json.loads((tmp_path / "out" / "profiles" / f"{name}.json").read_text())
        assert {"id": name, **{key: value for key, value in document.items() if value != {}}} == written
    assert 0 == run("import", tmp_path / "out", "--prune")
    assert before == contents(stores)
    (data / "profiles" / "long.json").write_text(json.dumps({"metadata": {"list": ["y" * 1000] * 500}}))
    assert 0 == run("import", data)
    assert ["P#long"] == [key for key, item in contents(stores).items() if item != before[key]]


def test_lists_survive_import_and_export(
    data: Path, stores: Stores, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Too many combinations are refused, overlaps are named once."""
    listed = {"mac": ["52:54:00:00:00:02", "52:54:00:00:00:01"], "os": ["a", "b"]}
    (data / "groups" / "listed.json").write_text(json.dumps({"profile": "p", "selector": listed}))
    other = {"mac": listed["mac"], "os": "a"}
    (data / "groups" / "other.json").write_text(json.dumps({"profile": "p", "selector": other}))
    (data / "groups" / "wide.json").write_text(json.dumps({"selector": {"n": list(map(str, range(41)))}}))
    assert 1 == run("import", data)
    output = capsys.readouterr().err
    assert f"{data / 'groups' / 'wide.json'}: line 1: selector: its lists have 41 combinations" in output
    overlap = "groups listed, other both select mac=52:54:00:00:00:02,os=a: listed is chosen for it"
    assert [f"  {data}/groups/other.json: fault: {overlap}"] == [
        line for line in output.splitlines() if " select " in line
    ]
    assert 0 == run("export", tmp_path / "out")
    assert listed == json.loads((tmp_path / "out" / "groups" / "listed.json").read_text())["selector"]
    before = contents(stores)
    capsys.readouterr()
    assert 0 == run("import", tmp_path / "out", "--prune")
    assert [True, True] == [NOTHING in line for line in capsys.readouterr().out.splitlines()]
    assert before == contents(stores)
    for name in ("wide", "listed"):
        (data / "groups" / f"{name}.json").unlink()
    assert 0 == run("import", data, "--prune")
    assert ["G#g", "G#other"] == sorted(key for key in contents(stores) if key.startswith("G#"))


def test_incompatibilities_are_listed(data: Path, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An export with incompatible documents succeeds."""
    hidden = {"secret": "hidden"}
    listed = {
        "profile": "p",
        "selector": {"os": ["b", "hidden"], "k": "hidden", "rack": ["1", "2"]},
        "metadata": hidden,
    }
    (data / "groups" / "listed.json").write_text(json.dumps(listed))
    (data / "groups" / "one.json").write_text('{"profile": "p", "selector": {"os": ["x"]}}')
    (data / "profiles" / "meta.json").write_text(json.dumps({"metadata": hidden}))
    templates = {
        "generic/sprig": '{{ .a | upper | b64enc | printf "%s" }}',
        "generic/plain": '{{ printf "%s" .a }} upper',
        "generic/torn": "{{ upper",
        "ignition/new.yaml": "variant: fcos\nversion: '1.6.0'\n",
        "ignition/new-as.json": '{"variant": "fcos", "version": "1.6.0"}',
        "ignition/new-in-lines.json": '{\n  "version" : "1.7.0",\n  "variant" : "fcos"\n}\n',
        "ignition/new-in-quotes.yaml": "'version': 1.7.0\n\"variant\": 'fcos'\n",
        "ignition/new-in-flow.yaml": "{variant: fcos, version: 1.6.0, storage: {{.storage}}}",
        "ignition/old.json": '{"variant": "fcos", "version": "1.5.0"}',
        "ignition/other.json": '{"variant": "flatcar", "version": "1.1.0", "x": "variant: fcos, version: 1.6.0"}',
        "ignition/old.yaml": "variant: fcos\nversion: 1.5.0\nstorage:\n  version: 1.6.0\n",
        "ignition/config.ign": '{"ignition": {"version": "3.4.0"}, "x": "{{upper}}"}',
    }
    write_files(data, templates)
    (data / "groups" / "guarded.json").write_text('{"profile": "p", "selector": {"os": "b"}, "boot": {"once": true}}')
    assert 0 == run("import", data)
    expected = [
        "note: matchbox does not render generic template sprig: it calls Sprig's b64enc, upper",
        *(
            f"note: matchbox does not render ignition template new{name}: it is Butane's fcos 1.{minor}.0"
            for name, minor in {
                "-as.json": 6,
                "-in-flow.yaml": 6,
                "-in-lines.json": 7,
                "-in-quotes.yaml": 7,
                ".yaml": 6,
            }.items()
        ),
        "note: matchbox ignores group listed: its selector lists os, rack",
        "note: matchbox ignores the boot policy of group guarded",
        "note: matchbox ignores the metadata of profile meta",
    ]
    for options in (["--dry-run"], [], []):
        capsys.readouterr()
        assert 0 == run("export", tmp_path / "out", *options)
        assert expected == capsys.readouterr().err.splitlines()[-len(expected) :]
    assert "x" == json.loads((tmp_path / "out" / "groups" / "one.json").read_text())["selector"]["os"]


def test_twenty_incompatibilities_are_named(
    data: Path, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(25):
        (data / "profiles" / f"meta{number:02}.json").write_text('{"metadata": {"a": 1}}')
    assert 0 == run("import", data)
    capsys.readouterr()
    assert 0 == run("export", tmp_path / "out")
    notes = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")]
    assert 20 == sum("note: matchbox ignores the metadata of profile meta" in line for line in notes)
    assert (21, "note: documents that matchbox does not read as intended, besides these: 5") == (len(notes), notes[-1])
