import json

import pytest

from matchbox.ignition import IgnitionAnswer, ignition_answer
from matchbox.ignition_error import IgnitionError
from matchbox.templates import TemplateError
from tests.unit.rendered_recordings import recordings

RECORDED = {recording.template_id: recording for recording in recordings("ignition", "ignition")}
EMPTY_CONFIG_IN_MATCHBOX = frozenset({"v33.ign", "v35.ign", "v23.ign", "bad.ign", "invalid.ign"})
BUTANE = frozenset(name for name, recording in RECORDED.items() if b"variant:" in recording.source)


def refusal(template_id: str, source: bytes, **data: object) -> str:
    with pytest.raises(IgnitionError) as caught:
        ignition_answer(template_id, source, data)
    return str(caught.value)


@pytest.mark.parametrize(
    "name",
    sorted(name for name in RECORDED if name.endswith((".ign", ".ignition")) and name not in EMPTY_CONFIG_IN_MATCHBOX),
)
def test_ignition_as_recorded(name: str) -> None:
    """What matchbox takes as an Ignition config is answered with the same bytes."""
    recording = RECORDED[name]
    answer = ignition_answer(name, recording.source, recording.data)
    assert IgnitionAnswer("application/json", recording.answer or b"") == answer


def test_recordings_are_all_used() -> None:
    """Each recording is one that is reproduced, an empty config there and something else here, or Butane, or Talos."""
    assert len(RECORDED) == 24
    assert RECORDED.keys() >= EMPTY_CONFIG_IN_MATCHBOX
    assert {"talos.yaml", "min.ign", "v31.ignition", "v34.ign", "template.ign", "unknown.ign"} == (
        RECORDED.keys() - EMPTY_CONFIG_IN_MATCHBOX - BUTANE
    )


def test_newer_version_is_kept() -> None:
    """A config of version 3.5.0, for which matchbox answers an empty one, keeps its version."""
    recording = RECORDED["v35.ign"]
    assert json.loads(recording.answer or b"")["ignition"]["version"] == ""
    body = ignition_answer("v35.ign", recording.source, recording.data).body
    assert (recording.answer or b"").replace(b'"version":""', b'"version":"3.5.0"') == body


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("v23.ign", "$.ignition.version: 2.3.0 is not supported, only 3.0.0 to 3.6.0 are"),
        ("bad.ign", "it is not JSON at line 1, column 2: expecting property name enclosed in double quotes"),
        ("invalid.ign", "$.storage.files.0.path: path not absolute"),
        (
            "v33.ign",
            "$.storage.files.1.overwrite: overwrite must be false if source is unspecified (and 1 more)",
        ),
    ],
)
def test_no_empty_configs(name: str, reason: str) -> None:
    """Where matchbox answers an empty config, the error says what is wrong."""
    assert f"template '{name}': {reason}" == refusal(name, RECORDED[name].source)


@pytest.mark.parametrize("name", sorted(BUTANE))
def test_butane_is_refused(name: str) -> None:
    """A Butane config is an error that says so."""
    message = refusal(name, RECORDED[name].source, **RECORDED[name].data)
    assert f"template '{name}': what it renders is a Butane config, which this release does not translate" == message


def test_talos() -> None:
    """The machine configuration of Talos is served as rendered, for which matchbox answers 404."""
    recording = RECORDED["talos.yaml"]
    assert recording.answer is None
    answer = ignition_answer("talos.yaml", recording.source, recording.data)
    assert IgnitionAnswer("application/x-yaml", recording.source) == answer


def test_talos_documents() -> None:
    """All documents have to be mappings; empty ones count for nothing."""
    source = b"machine: {type: {{.type}}}\n---\napiVersion: v1alpha1\nkind: X\n---\n"
    answer = ignition_answer("a", source, {"type": "worker"})
    assert source.replace(b"{{.type}}", b"worker") == answer.body


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"", "is empty"),
        (b"# c\n---\n", "is empty"),
        (b"machine: {}\n---\n- a\n", "is not a mapping at line 3"),
        (b"hunter2", "is not a mapping at line 1"),
        (b"machine: {}\n---\nvariant: fcos\n", "is a Butane config, which this release does not translate"),
        (b"a: hunter2: b\n", "is not YAML at line 1: mapping values are not allowed in this context"),
        (b"a: \xff", "is not YAML: it has a character that YAML does not allow, or is not UTF-8"),
    ],
)
def test_refused(source: bytes, reason: str) -> None:
    """The error names the template and says why, without what it renders."""
    assert f"template 'a.yaml': what it renders {reason}" == refusal("a.yaml", source)


def test_template_that_does_not_render() -> None:
    """A template that does not render is its own error."""
    with pytest.raises(TemplateError):
        ignition_answer("a.yaml", b"{{.nope}}", {})
