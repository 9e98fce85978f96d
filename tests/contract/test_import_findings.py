"""What an import says of faulty files, absent stores and damage, on moto, and on DynamoDB Local with versitygw."""

import json
from pathlib import Path

import pytest

from matchboxctl.main import main
from tests.contract.conftest import Run
from tests.contract.test_import_export import contents
from tests.rigs.stores import Stores


def test_broken_file_is_named_with_its_line(
    data: Path, stores: Stores, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rest is imported, and its document in the table stays."""
    assert 0 == run("import", data)
    (data / "groups" / "g.json").write_text('{\n"selector": {"os": 5}}')
    (data / "groups" / "huge.json").write_text('{"metadata": {"a": 1e400}}')
    (data / "generic" / "new").write_text("new")
    capsys.readouterr()
    assert 1 == run("import", data, "--prune")
    output = capsys.readouterr()
    assert "groups, profiles and templates: 1 added, 0 changed, 0 removed, 3 unchanged" in output.out
    assert f"{data / 'groups' / 'g.json'}: line 2: selector.os: " in output.err
    assert f"{data / 'groups' / 'huge.json'}: line 1: the number 1e400 is too large" in output.err
    assert "2 could not be imported" in output.err
    assert "G#g" in contents(stores)


def test_document_over_a_limit_is_named_with_the_limit(
    data: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    # A file's name has at most 255 bytes; a directory makes the path longer.
    deep = data / "assets" / "/".join(["d" * 200] * 6)
    deep.mkdir(parents=True)
    (deep / "file").write_text("x")
    (data / "generic" / "huge").write_bytes(bytes(16 * 1024 * 1024 + 1))
    assert 1 == run("import", data)
    output = capsys.readouterr()
    assert "is longer than 1,017 bytes, S3's limit" in output.err
    assert "generic template 'huge': 16777217 bytes are more than the 16777216 that are served" in output.err
    assert "4 added" in output.out
    assert "assets: 2 added" in output.out


def test_findings_are_shown_before_an_import(data: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "groups" / "b.json").write_text('{"profile": "absent", "selector": {"os": "a"}}')
    (data / "profiles" / "q.json").write_text('{"cloud_id": "none"}')
    assert 0 == run("import", data)
    assert [
        "3 faults in 2 groups, 2 profiles, 2 templates:",
        f"  {data}/groups/b.json: fault: profile 'absent' does not exist",
        f"  {data}/groups/g.json: fault: groups b, g have the same selectors: b is chosen",
        f"  {data}/profiles/q.json: fault: cloud template 'none' does not exist",
        f"  run `matchboxctl validate {data}` for all of them, and what to do",
    ] == capsys.readouterr().err.splitlines()[1:]


def test_what_is_in_the_table_and_the_bucket_already_is_not_absent(
    data: Path, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unless it is pruned."""
    assert 0 == run("import", data)
    other = tmp_path / "other"
    for name in ("groups", "profiles"):
        (other / name).mkdir(parents=True)
    (other / "groups" / "h.json").write_text('{"profile": "p", "selector": {"os": "h"}}')
    (other / "profiles" / "q.json").write_text('{"boot": {"kernel": "/assets/vmlinuz"}, "generic_id": "t"}')
    capsys.readouterr()
    assert 0 == run("import", other, "--dry-run")
    assert "fault" not in capsys.readouterr().err
    assert 0 == run("import", other, "--dry-run", "--prune")
    assert [
        f"  {other}/groups/h.json: fault: profile 'p' does not exist",
        f"  {other}/profiles/q.json: fault: generic template 't' does not exist",
        f"  {other}/profiles/q.json: fault: kernel: /assets/vmlinuz does not exist",
    ] == [line for line in capsys.readouterr().err.splitlines() if ": fault: " in line]


def test_failing_template_is_shown_and_imported(
    data: Path, stores: Stores, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not one whose result depends on labels."""
    (data / "ignition").mkdir(exist_ok=True)
    (data / "ignition" / "wrong").write_text("variant: fcos\nversion: 1.5.0\nstorage: {files: [{path: hunter2}]}\n")
    (data / "ignition" / "right").write_text("variant: fcos\nversion: 1.5.0\n# {{.request.query.uuid}}\n")
    for name in ("wrong", "right"):
        (data / "groups" / f"{name}.json").write_text(json.dumps({"profile": name, "selector": {"os": name}}))
        (data / "profiles" / f"{name}.json").write_text(json.dumps({"ignition_id": name}))
    assert 0 == run("import", data)
    reason = "$.storage.files.0.path, line 3 col 26: path not absolute"
    what = f"what it renders is a Butane config that is refused: {reason}"
    errors = [line for line in capsys.readouterr().err.splitlines() if ": fault: " in line]
    assert [f"  {data}/ignition/wrong: fault: {what}, for group wrong"] == errors
    assert {"T#ignition#wrong", "T#ignition#right"} <= contents(stores).keys()


@pytest.mark.parametrize("command", [["init"], ["import", "."], ["export", "."], ["fsck"]])
def test_command_without_store_says_what_to_set(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("MATCHBOX_TABLE", "MATCHBOX_BUCKET", "MATCHBOX_DATA_PATH"):
        monkeypatch.delenv(name, raising=False)
    assert 2 == main(command)
    line = f"matchboxctl: {command[0]} works on table and bucket: set MATCHBOX_TABLE and MATCHBOX_BUCKET, or --stack\n"
    assert line == capsys.readouterr().err


def test_absent_table_is_named_with_the_command_that_creates_it(
    data: Path, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MATCHBOX_TABLE", "absent")
    assert 1 == run("import", data)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("matchboxctl: table absent on ")
    assert last.endswith("create it with `matchboxctl init`")


def test_unreachable_endpoint_is_one_line(
    data: Path, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert 1 == run("import", data)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("matchboxctl: no response from 127.0.0.1:9 (attempts: ")
    assert last.endswith("connection refused; check the endpoint and the network")
