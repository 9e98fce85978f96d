"""`matchboxctl validate`: its output and exit codes."""

import json
from pathlib import Path

import pytest
import yaml

from matchboxctl.main import main
from tests.support.data_files import write_files
from tests.unit.matchboxctl.validate.written_data import BOOT, GOOD

FAULTY = {
    **GOOD,
    "groups/h.json": '{"profile": "p",\n"selectr": {"mac": "x"}, "metadata": {"password": "hunter2"}}',
    "profiles/p.json": {"id": "p", "boot": BOOT, "comment": "", "generic_id": "t"},
    "generic/t": "{{atoi .password}}{{.absent}}",
}


@pytest.fixture(autouse=True)
def _no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MATCHBOX_TABLE", "MATCHBOX_BUCKET", "MATCHBOX_DATA_PATH", "MATCHBOX_ASSETS_PATH"):
        monkeypatch.delenv(name, raising=False)


def test_nothing_found_is_exit_code_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["validate", str(write_files(tmp_path, GOOD))])
    assert ("nothing found in 1 group, 1 profile, 0 templates\n", "") == capsys.readouterr()


def test_notes_alone_are_exit_code_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_files(tmp_path, {**GOOD, "profiles/p.json": {"id": "p", "boot": BOOT, "comment": ""}})
    assert 0 == main(["validate", "--data-path", str(tmp_path)])
    assert [
        f"{tmp_path}/profiles/p.json",
        "  note   line 1: unknown key 'comment' is ignored",
        "         remove it, or move it into metadata",
        "1 note in 1 group, 1 profile, 0 templates",
    ] == capsys.readouterr().out.splitlines()


def test_faults_are_exit_code_1_and_no_secret_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == main(["validate", str(write_files(tmp_path, FAULTY))])
    output = capsys.readouterr()
    assert ["matchboxctl: 3 faults, 1 note in 2 groups, 1 profile, 1 template"] == output.err.splitlines()
    assert "  fault  line 2: unknown key 'selectr' is ignored: did you mean 'selector'?" in output.out.splitlines()
    assert "hunter2" not in output.out + output.err


def test_json_and_yaml_have_the_documented_shape(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_files(tmp_path, FAULTY)
    assert 1 == main(["validate", str(tmp_path), "-o", "json"])
    found = json.loads(capsys.readouterr().out)
    assert ["faults", "notes", "groups", "profiles", "templates", "findings"] == list(found)
    assert [3, 1, 2, 1, 1, 4] == [found[key] for key in list(found)[:5]] + [len(found["findings"])]
    assert {
        "severity": "fault",
        "rule": "unknown-key",
        "file": f"{tmp_path}/groups/h.json",
        "line": 2,
        "message": "unknown key 'selectr' is ignored: did you mean 'selector'?",
        "advice": None,
        "groups": [],
    } in found["findings"]
    assert 1 == main(["validate", str(tmp_path), "-o", "yaml"])
    assert found == yaml.safe_load(capsys.readouterr().out)


def test_named_directory_is_validated_without_aws_in_store_mode_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MATCHBOX_TABLE", "t")
    monkeypatch.setenv("MATCHBOX_BUCKET", "b")
    assert 0 == main(["validate", str(write_files(tmp_path, GOOD))])
    assert capsys.readouterr().out.startswith("nothing found")


@pytest.mark.parametrize("arguments", [["/absent"], ["--data-path", "/absent"], ["--assets-path", "/absent", "DIR"]])
def test_wrong_use_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    given = [str(write_files(tmp_path, GOOD)) if argument == "DIR" else argument for argument in arguments]
    assert 2 == main(["validate", *given])
    assert "/absent" in capsys.readouterr().err


@pytest.mark.parametrize("flags", [("--data-path", "elsewhere"), ("--stack", "name")])
def test_directory_and_a_flag_for_another_are_wrong_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, str]
) -> None:
    """One of them would be ignored; a variable of the environment is."""
    given = str(write_files(tmp_path, GOOD))
    for words in (["validate", given, *flags], [*flags, "validate", given]):
        assert 2 == main(words)
        assert f"matchboxctl: DIR and {flags[0]} both name what to validate: use one of them" in capsys.readouterr().err


def test_assets_may_lie_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_files(tmp_path, GOOD)
    (tmp_path / "assets").rename(tmp_path / "elsewhere")
    assert 1 == main(["validate", str(tmp_path)])
    assert "/assets/k does not exist" in capsys.readouterr().out
    assert 0 == main(["validate", str(tmp_path), "--assets-path", str(tmp_path / "elsewhere")])


def test_lines_fit_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names stay whole, so that they can be copied."""
    monkeypatch.setattr("matchboxctl.validate.command.terminal_width", lambda: 80)
    write_files(
        tmp_path, {**GOOD, "profiles/p.json": {"boot": {"kernel": f"/assets/{'k' * 60}/vmlinuz"}, "generic_id": "t"}}
    )
    assert 1 == main(["validate", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert "         does not exist" in lines
    assert [] == [line for line in lines if len(line) > 80 and len(line.split()) > 1]
