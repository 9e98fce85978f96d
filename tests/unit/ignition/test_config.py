import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.ignition.config.parse import IgnitionError, parse_and_translate
from lambda_matchbox.ignition.config.schema import NEWEST_MINOR, fields_of
from tests.unit.gotemplate.rendered_recordings import CONFORMANCE

RECORDED = json.loads((CONFORMANCE / "ignition_validation" / "answers.json").read_text())["answers"]


def config_of(record: dict[str, Any]) -> bytes:
    return record["config"].encode() if "config" in record else base64.b64decode(record["config_base64"])


def refusal(config: bytes) -> str:
    with pytest.raises(IgnitionError) as caught:
        parse_and_translate(config)
    return str(caught.value)


def with_files(version: str, *files: object) -> bytes:
    return json.dumps({"ignition": {"version": version}, "storage": {"files": files}}).encode()


def test_valid_configs_are_written_as_recorded() -> None:
    for record in RECORDED:
        if record["answer"] is not None:
            assert (record, record["answer"]) == (record, parse_and_translate(config_of(record)).decode())


def test_invalid_configs_have_a_recorded_problem() -> None:
    for record in RECORDED:
        if record["answer"] is not None:
            continue
        path = refusal(config_of(record)).partition(":")[0]
        # Ignition reports some problems at the list or struct around the value, or at another field of it.
        around = path.rpartition(".")[0]
        assert not record["paths"] or any(
            path.startswith(other) or other.startswith(path) or other.rpartition(".")[0] == around
            for other in record["paths"]
        ), (record, path)


def test_each_field_is_recorded() -> None:
    seen: set[str] = set()

    def walk(struct: str, value: dict[str, Any], minor: int) -> None:
        for name, kind in fields_of(struct, minor).items():
            if name not in value:
                continue
            seen.add(f"{struct}.{name}")
            for one in value[name] if kind.startswith("[") else [value[name]]:
                if isinstance(one, dict):
                    walk(kind.strip("[]"), one, minor)

    for record in RECORDED:
        if record["answer"] is not None:
            response = json.loads(record["answer"])
            walk("Config", response, int(response["ignition"]["version"].split(".")[1]))
    structs, wanted = ["Config"], set()
    for struct in structs:
        for name, kind in fields_of(struct, NEWEST_MINOR).items():
            wanted.add(f"{struct}.{name}")
            inner = kind.strip("[]")
            if fields_of(inner, NEWEST_MINOR) and inner not in structs:
                structs.append(inner)
    assert wanted == seen


@given(st.integers(0, NEWEST_MINOR), st.integers(0, 0o7777))
def test_special_bits_of_modes_are_cleared_by_the_upgrade_only(minor: int, mode: int) -> None:
    response = json.loads(parse_and_translate(with_files(f"3.{minor}.0", {"path": "/a", "mode": mode})))
    expected = mode & 0o777 if minor < 4 else mode
    assert expected == response["storage"]["files"][0]["mode"]


@pytest.mark.parametrize("minor", range(4, NEWEST_MINOR + 1))
def test_a_served_config_is_served_unchanged(minor: int) -> None:
    own = [record for record in RECORDED if f'"version": "3.{minor}.0"' in record.get("config", "")]
    responses = [record["answer"].encode() for record in own if record["answer"] is not None]
    assert responses
    assert responses == [parse_and_translate(response) for response in responses]


@given(st.binary())
def test_any_bytes_are_a_config_or_refused(raw: bytes) -> None:
    with pytest.raises(IgnitionError):
        parse_and_translate(raw)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (b"", "not JSON at line 1, column 1: expecting value"),
        (b'{"ignition":\n {"version": "3.4.0"},}', "not JSON at line 2, column 23"),
        (b'{"a": NaN}', "not JSON: invalid number NaN"),
        (b"[" * 200_000, "not JSON: nested too deeply"),
        (b"[]", "$: must be an object"),
        (b"{}", "$.ignition.version: missing"),
        (b'{"ignition": {"version": "hunter2"}}', "$.ignition.version: not a version"),
        (b'{"ignition": {"version": 3}}', "$.ignition.version: must be a string"),
        (with_files("3.7.0"), "$.ignition.version: 3.7.0 is not supported, only 3.0.0 to 3.6.0 are"),
        (
            with_files("3.7.0-experimental"),
            "$.ignition.version: 3.7.0-experimental is not supported, only 3.0.0 to 3.6.0 are",
        ),
        (with_files("3.4.0", {"path": "hunter2"}), "$.storage.files.0.path: path not absolute"),
        (with_files("3.4.0", {"path": "/a", "mode": "hunter2"}), "$.storage.files.0.mode: must be an integer"),
        (
            with_files("3.4.0", {"path": "/a", "contents": {"source": "hunter2://x"}}),
            "$.storage.files.0.contents.source: invalid url scheme",
        ),
        (with_files("3.4.0", {"path": "/a"}, {"path": "/a"}), "$.storage.files.1: duplicate entry defined"),
    ],
)
def test_errors_have_a_path_or_line_and_no_value(config: bytes, reason: str) -> None:
    message = refusal(config)
    assert message.startswith(reason)
    assert "hunter2" not in message
