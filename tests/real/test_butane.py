"""The translation against Butane itself."""

import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_matchbox.ignition.butane.dialects import Dialect, dialect_of
from lambda_matchbox.ignition.butane.schema import fields_of
from tests.conformance.butane_vectors import order, vectors, without_forms
from tests.rigs import ignition_programs
from tests.support.butane_form import outcome

pytestmark = [pytest.mark.real, pytest.mark.nightly]

VERSIONS = {"fcos": 8, "flatcar": 2, "r4e": 2, "fiot": 1}
DIALECTS = [dialect_of(variant, f"1.{minor}.0") for variant, count in VERSIONS.items() for minor in range(count)]
HASH = f"sha512-{'0' * 128}"
WORDS = [
    *("", "a", "b", "root", "boot", "/a", "/b", "/a/b", "/var/x", "/dev/sda", "/dev/sdb", "a.service", "x.conf"),
    *("ext4", "swap", "raid1", "x86_64", "gzip", "https://a.example/x", "data:,x", "http://[x", HASH, "[Unit]"),
]
NUMBERS = [-1, 0, 1, 2, 4, 420, 493, 644, 755, 1023, 1777, 2541, 4755, 8192]
ODD = [None, None, None, [], {}, [None], True, 5, "x", [[]], {"a": 1}]


class Output(NamedTuple):
    config: str
    report: str
    status: int


def butane(program: Path, config: str) -> Output:
    done = subprocess.run([program, "--raw-errors"], input=config, capture_output=True, text=True, check=False)
    return Output(done.stdout, done.stderr, done.returncode)


@pytest.fixture(scope="module")
def program() -> Path:
    return ignition_programs.butane()


def configs() -> st.SearchStrategy[str]:
    """Configs as JSON, in which few values have the wrong type."""

    @st.composite
    def one(draw: st.DrawFn) -> str:
        dialect = draw(st.sampled_from(DIALECTS))
        body = _struct(draw, "Config", dialect)
        return json.dumps({**body, "variant": dialect.variant, "version": dialect.version})

    return one()


def _struct(draw: st.DrawFn, struct: str, dialect: Dialect) -> dict[str, Any]:
    fields = [field for field in fields_of(struct, dialect) if field.kind.endswith("!") or not draw(st.integers(0, 2))]
    return {field.key: _value(draw, field.kind.rstrip("!0"), dialect) for field in draw(st.permutations(fields))}


def _value(draw: st.DrawFn, kind: str, dialect: Dialect) -> object:
    if not draw(st.integers(0, 40)):
        return draw(st.sampled_from(ODD))
    if kind.startswith("["):
        return [_value(draw, kind[1:-1], dialect) for _ in range(draw(st.integers(0, 3)))]
    if kind in {"string", "Device"}:
        return draw(st.sampled_from(WORDS))
    if kind in {"int", "bool"}:
        return draw(st.booleans() if kind == "bool" else st.sampled_from(NUMBERS))
    return _struct(draw, kind, dialect)


def without_empty(value: object) -> object:
    """`value` without empty structs and nulls, some of which old versions write."""
    if isinstance(value, list):
        return [without_empty(one) for one in value]
    if not isinstance(value, dict):
        return value
    members = {name: without_empty(one) for name, one in value.items()}
    return {name: one for name, one in members.items() if one not in (None, {})}


@given(config=configs())
@settings(max_examples=1000)
def test_config_and_report_are_butanes(program: Path, config: str) -> None:
    wanted = butane(program, config)
    made, report, status = outcome(config)
    assert (wanted.report, wanted.status) == (report, status)
    if status == 0:
        expected, got = (without_empty(one) for one in (json.loads(wanted.config), made))
        assert without_forms(expected) == without_forms(got)
        assert order(expected) == order(got)


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: vector["name"])
def test_recordings_are_butanes(program: Path, vector: dict[str, Any]) -> None:
    output = butane(program, vector["butane"])
    assert (vector["stderr_raw"], vector["exit"]) == (output.report, output.status)
    # One was recorded with line breaks.
    assert "".join(vector["stdout"].split()) == "".join(output.config.split())
