"""Findings on documents, and on what they refer to."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from matchboxctl.validate.contents import directory_contents
from matchboxctl.validate.validation import validate
from tests.support.data_files import write_files
from tests.unit.matchboxctl.validate.written_data import BOOT, GOOD, found, one


def test_data_directory_without_faults_has_no_finding(tmp_path: Path) -> None:
    assert [] == found(tmp_path, {})


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (
            "groups/h.json",
            '{\n"selector": {"os": 5}}',
            ("unreadable", 2, "selector.os: neither a string nor a list of strings"),
        ),
        ("groups/h.json", "{\n\n", ("unreadable", 3, "not JSON: ")),
        (
            "profiles/q.json",
            '{"boot": {\n"args": ["a\\nb"]}}',
            ("unreadable", 2, "boot.args.0: the control character "),
        ),
        (
            "sources/s.json",
            '{"id": "s",\n"keep": 0, "image": "a/b", "assets": "x"}',
            ("unreadable", 2, "keep: 0 is not "),
        ),
    ],
)
def test_document_that_does_not_parse_has_its_line(
    tmp_path: Path, path: str, text: str, expected: tuple[str, int, str]
) -> None:
    severity, rule, file, line, message = one(tmp_path, {path: text})
    assert ("fault", path, *expected[:2]) == (severity, file, rule, line)
    assert message.startswith(expected[2])


def test_misspelt_key_is_a_fault_and_any_other_unknown_one_a_note(tmp_path: Path) -> None:
    """matchbox serves `kernel  initrd=…` for this profile with status 200."""
    boot = '{"id": "p",\n"boot": {"kernl": "/assets/k", "initrd": ["/assets/i"]},\n"_comment": "a"}'
    assert [
        ("fault", "unknown-key", 2, "unknown key 'boot.kernl' is ignored: did you mean 'boot.kernel'?"),
        ("note", "unknown-key", 3, "unknown key '_comment' is ignored"),
        ("fault", "boot", None, "the boot section has no kernel"),
    ] == [(*each[:2], each.line, each.message) for each in found(tmp_path, {"profiles/p.json": boot})]


def test_absent_profile_is_one_finding_for_all_its_groups(tmp_path: Path) -> None:
    groups = {f"groups/h{at}.json": {"profile": "absent", "selector": {"os": f"{at}"}} for at in range(7)}
    (finding,) = found(tmp_path, groups)
    message = "profile 'absent' does not exist: it is that of groups h0, h1, h2, h3, h4 and 2 more"
    assert ("profile", "groups/h0.json", message) == (finding.rule, finding.file, finding.message)
    assert [f"h{at}" for at in range(7)] == list(finding.groups)


def test_group_without_a_profile_is_a_fault(tmp_path: Path) -> None:
    expected = ("fault", "profile", "groups/h.json", None, "it names no profile")
    assert expected == one(tmp_path, {"groups/h.json": {"selector": {"os": "a"}}})


def test_profile_that_does_not_parse_is_not_absent_as_well(tmp_path: Path) -> None:
    files = {"groups/h.json": {"profile": "q", "selector": {"os": "a"}}, "profiles/q.json": "{"}
    assert ["unreadable"] == [each.rule for each in found(tmp_path, files)]


def test_absent_templates_are_faults(tmp_path: Path) -> None:
    profile = {"id": "p", "boot": BOOT, "ignition_id": "a.yaml", "cloud_id": "b"}
    assert [
        ("template", "profiles/p.json", "ignition template 'a.yaml' does not exist"),
        ("template", "profiles/p.json", "cloud template 'b' does not exist"),
    ] == [(each.rule, each.file, each.message) for each in found(tmp_path, {"profiles/p.json": profile})]


def test_template_in_a_directory_or_under_another_spelling_is_there(tmp_path: Path) -> None:
    """As it is for the server, which cleans names."""
    profile = {"id": "p", "boot": BOOT, "generic_id": "a/../b/t", "cloud_id": "deep/c"}
    files = {"profiles/p.json": profile, "generic/b/t": "", "cloud/deep/c": "#!/bin/sh\n"}
    assert [] == found(tmp_path, files)


def test_overlapping_groups_are_faults(tmp_path: Path) -> None:
    """The file is that of the group that is not chosen."""
    group = {"profile": "p", "selector": {"mac": ["52-54-00-00-00-01", "52-54-00-00-00-02"]}}
    message = "groups g, h both select mac=52:54:00:00:00:01: g is chosen for it"
    assert ("fault", "overlap", "groups/h.json", None, message) == one(tmp_path, {"groups/h.json": group})


def test_many_equal_groups_are_one_short_finding(tmp_path: Path) -> None:
    groups = {f"groups/h{at:03}.json": {"profile": "p", "selector": {"os": "a"}} for at in range(200)}
    (finding,) = found(tmp_path, groups)
    assert "groups h000, h001, h002, h003, h004 and 195 more have the same selectors: h000 is chosen" == finding.message
    assert 200 == len(finding.groups)


@pytest.mark.parametrize("kind", ["groups", "profiles"])
def test_documents_in_subdirectories_are_faults(tmp_path: Path, kind: str) -> None:
    (finding,) = found(tmp_path, {f"{kind}/rack1/x.json": {"profile": "p"}, f"{kind}/rack1/y.json": {}})
    expected = ("fault", "directory", f"{kind}/rack1", "2 files in it are not read")
    assert (*finding[:4], finding.advice) == (*expected, f"move what it holds to {tmp_path}/{kind}")


def test_documents_in_yaml_are_faults(tmp_path: Path) -> None:
    """matchbox reads .json alone; what else lies there is nobody's mistake."""
    files = {"groups/x.yaml": "profile: p", "groups/README.md": "", "profiles/.gitkeep": ""}
    assert ("fault", "directory", "groups", None, "1 YAML file is not read") == one(tmp_path, files)


@pytest.mark.parametrize("kind", ["groups", "profiles", "sources"])
def test_name_that_is_not_utf8_and_directory_with_a_documents_name_are_faults(tmp_path: Path, kind: str) -> None:
    write_files(tmp_path, GOOD)
    (tmp_path / kind / "dir.json").mkdir(parents=True)
    (tmp_path / kind / os.fsdecode(b"\xff.json")).write_text('{"profile": "p", "image": "h/x:1", "assets": "x"}')
    unreadable = {one.message for one in found(tmp_path, {}) if one.rule == "unreadable"}
    assert {"it is a directory", "its name is not UTF-8: other commands than serve refuse it"} <= unreadable


def test_part_of_a_data_directory_has_a_hint(tmp_path: Path) -> None:
    (finding,) = validate(directory_contents(write_files(tmp_path, GOOD) / "profiles")).findings
    assert f"use {tmp_path}" == finding.advice


def test_directory_of_data_directories_is_named_with_a_hint(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write_files(tmp_path / name, GOOD)
    (finding,) = validate(directory_contents(tmp_path)).findings
    assert "it has no groups, but directories in it have: a, b" == finding.message
    assert f"use one of them, such as {tmp_path}/a" == finding.advice


@pytest.mark.parametrize("files", [{}, {"profiles/p.json": {"boot": BOOT}, "assets/k": "", "assets/i": ""}])
def test_directory_without_groups_is_a_fault(tmp_path: Path, files: Mapping[str, object]) -> None:
    (finding,) = validate(directory_contents(write_files(tmp_path, files))).findings
    assert ("directory", "it has no groups: no machine boots") == (finding.rule, finding.message)


def test_sources_that_overlap_or_lack_a_release_are_named(tmp_path: Path) -> None:
    source = {"image": "ghcr.io/x/y:1", "assets": "talos/arm64"}
    files = {f"sources/{name}.json": {**source, "id": name} for name in ("a", "b")}
    assert [
        ("note", "release", "sources/a.json", "it has no release yet"),
        ("fault", "source", "sources/b.json", "assets: 'talos/arm64' overlaps 'talos/arm64' of the source 'a'"),
    ] == [(str(each.severity), each.rule, each.file, each.message) for each in found(tmp_path, files)]


def test_damaged_pointers_are_a_fault(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, {"releases/pointers.json": json.dumps({"s": 1})})
    assert ("unreadable", "releases/pointers.json") == (finding.rule, finding.file)
