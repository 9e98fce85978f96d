"""`matchboxctl plan`."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from matchboxctl.plan.limits import DOCUMENTED
from tests.support.commands import Commands


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes]) -> Commands:
    return Commands(capsysbinary)


def test_text_says_what_is_not_measured(run: Commands) -> None:
    text = run("plan", "--machines", "50", "--within", "5m").out
    assert text.startswith("50 of 50 machines booted, 50 within 5 min 00 s.\n")
    assert "as documented, and not measured" in text
    assert [] == [line for line in text.splitlines() if len(line) > 80]


def test_failed_machines_have_reason_and_remedy(run: Commands) -> None:
    text = run("plan", "--machines", "400", "--firmware", "0s", "1s", "--quota", "60", "--within", "5m").out
    assert "concurrency quota is used up" in text
    assert "examples/ipxe/retry.ipxe in iPXE" in text


def test_document_has_every_limit_with_its_source(run: Commands) -> None:
    arguments = ("plan", "--machines", "20", "--quota", "300", "-o")
    document = json.loads(run(*arguments, "json").out)
    assert document == yaml.safe_load(run(*arguments, "yaml").out)
    limits = {each["name"]: each for each in document["limits"]}
    assert (300, DOCUMENTED) == (limits["quota"]["value"], limits["quota"]["standing"])
    assert 20 == document["booted"]
    assert document["seconds"]["p50"] <= document["seconds"]["p100"]


def test_never_is_no_number(run: Commands) -> None:
    document = json.loads(run("plan", "--machines", "2", "--line", "0.000001", "--no-knobs", "-o", "json").out)
    assert (0, None) == (document["booted"], document["seconds"]["p50"])
    assert "100%    -\n" in run("plan", "--machines", "2", "--line", "0.000001", "--no-knobs").out


def test_picture_is_an_svg(run: Commands, tmp_path: Path) -> None:
    file = tmp_path / "storm.svg"
    run("plan", "--machines", "30", "--svg", file)
    root = ElementTree.fromstring(file.read_text())
    assert "{http://www.w3.org/2000/svg}svg" == root.tag
    assert 1 == len([*root.iter("{http://www.w3.org/2000/svg}polyline")])


def test_picture_that_cannot_be_written_is_an_error(run: Commands, tmp_path: Path) -> None:
    ended = run("plan", "--machines", "1", "--svg", tmp_path / "none" / "a.svg")
    assert (1, "") == ended[:2]
    assert "cannot write" in ended.err


@pytest.mark.parametrize("within", ["10", "-1m", "25h", "nan", "1e3s"])
def test_what_is_no_duration_is_refused(run: Commands, within: str) -> None:
    assert "--within" in run.refused("plan", "--machines", "1", "--within", within)[-1]


def test_machines_are_required(run: Commands) -> None:
    assert "--machines" in run.refused("plan")[-1]
