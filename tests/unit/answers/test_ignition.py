import json
import subprocess
import sys

import pytest

from lambda_matchbox.answers.errors import InvalidConfigError, RenderError
from lambda_matchbox.answers.ignition import respond
from lambda_matchbox.catalog.templates import Template
from lambda_matchbox.http import Response
from tests.conformance.butane_vectors import without_forms
from tests.unit.gotemplate.rendered_recordings import recordings

RECORDED = {recording.template_id: recording for recording in recordings("ignition", "ignition")}
EMPTY_CONFIG_IN_MATCHBOX = frozenset({"v33.ign", "v35.ign", "v23.ign", "bad.ign", "invalid.ign"})
BUTANE = {
    name: recording
    for name, recording in RECORDED.items()
    if b"variant:" in recording.source and not name.endswith((".ign", ".ignition"))
}
TRANSLATED = sorted(name for name, recording in BUTANE.items() if recording.response and name != "openshift.yaml")


def response_to(template_id: str, source: bytes, **data: object) -> Response:
    return respond(Template("ignition", template_id, source), data)


def refusal(template_id: str, source: bytes, **data: object) -> str:
    with pytest.raises(InvalidConfigError) as caught:
        response_to(template_id, source, **data)
    return str(caught.value)


@pytest.mark.parametrize(
    "name",
    sorted(name for name in RECORDED if name.endswith((".ign", ".ignition")) and name not in EMPTY_CONFIG_IN_MATCHBOX),
)
def test_ignition_config_is_as_recorded_of_matchbox(name: str) -> None:
    recording = RECORDED[name]
    response = response_to(name, recording.source, **recording.data)
    assert Response.of(recording.response or b"", "application/json") == response


def test_all_recordings_are_used() -> None:
    assert len(RECORDED) == 24
    assert RECORDED.keys() >= EMPTY_CONFIG_IN_MATCHBOX
    assert {"talos.yaml", "min.ign", "v31.ignition", "v34.ign", "template.ign", "unknown.ign"} == (
        RECORDED.keys() - EMPTY_CONFIG_IN_MATCHBOX - BUTANE.keys()
    )


def test_version_3_5_is_kept() -> None:
    """matchbox serves an empty config."""
    recording = RECORDED["v35.ign"]
    assert json.loads(recording.response or b"")["ignition"]["version"] == ""
    body = response_to("v35.ign", recording.source, **recording.data).body
    assert (recording.response or b"").replace(b'"version":""', b'"version":"3.5.0"') == body


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("v23.ign", "$.ignition.version: 2.3.0 is not supported, only 3.0.0 to 3.6.0 are"),
        ("bad.ign", "not JSON at line 1, column 2: expecting property name enclosed in double quotes"),
        ("invalid.ign", "$.storage.files.0.path: path not absolute"),
        (
            "v33.ign",
            "$.storage.files.1.overwrite: overwrite must be false if source is unspecified (and 1 more)",
        ),
    ],
)
def test_invalid_config_is_an_error(name: str, reason: str) -> None:
    """matchbox serves an empty config."""
    assert f"template '{name}': {reason}" == refusal(name, RECORDED[name].source)


@pytest.mark.parametrize("name", TRANSLATED)
def test_butane_config_is_as_recorded_of_matchbox(name: str) -> None:
    """Except for the compression of data."""
    recording = BUTANE[name]
    response = response_to(name, recording.source, **recording.data)
    if name == "compress.yaml":
        assert without_forms(json.loads(recording.response or b"")) == without_forms(json.loads(response.body))
    else:
        assert Response.of(recording.response or b"", "application/json") == response._replace(report=())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nover.yaml", "error parsing version; must be a valid semver"),
        (
            "unknownvariant.yaml",
            (
                "unknown variant or version; translated are fcos 1.0.0, fcos 1.1.0, fcos 1.2.0,"
                " fcos 1.3.0, fcos 1.4.0, fcos 1.5.0, fcos 1.6.0, fcos 1.7.0, flatcar 1.0.0, flatcar 1.1.0,"
                " r4e 1.0.0, r4e 1.1.0, fiot 1.0.0"
            ),
        ),
        (
            "local.yaml",
            (
                "$.storage.files.0.contents.local, line 7 col 16: local file paths are relative to a files directory"
                " that must be specified with -d/--files-dir"
            ),
        ),
        (
            "openshift.yaml",
            "openshift configs become a MachineConfig, not an Ignition config: they are not translated",
        ),
    ],
)
def test_refused_butane_config_is_an_error(name: str, reason: str) -> None:
    """matchbox serves a 404 or an empty config."""
    recording = BUTANE[name]
    message = refusal(name, recording.source, **recording.data)
    assert f"template '{name}': what it renders is a Butane config that is refused: {reason}" == message


def test_response_and_error_have_the_butane_report() -> None:
    head = b"variant: fcos\nversion: 1.5.0\n"
    assert ("warning at $.strage, line 3 col 1: unused key strage",) == response_to("a", head + b"strage: {}\n").report
    with pytest.raises(InvalidConfigError) as caught:
        response_to("a", head + b"x: 1\nstorage: {files: [{path: a}, {path: b}]}\n")
    first = "$.storage.files.0.path, line 4 col 26: path not absolute"
    assert str(caught.value).endswith(f"refused: {first} (and 1 more)")
    second = "$.storage.files.1.path, line 4 col 37: path not absolute"
    assert (f"error at {first}", f"error at {second}") == caught.value.report[:2]


@pytest.mark.parametrize(
    "text",
    [
        b"storage: {files: [{path: /a, mode: hunter2}]}",
        b"storage: hunter2",
        b"passwd: {users: [{name: hunter2}, {name: hunter2}]}",
        b"passwd: {users: [{hunter2: 1, hunter2: 2, name: {}}]}",
        b"systemd: {units: [{name: hunter2, contents: '[hunter2'}]}",
        b"storage: *hunter2",
        b"storage: {files: [{path: hunter2, contents: {source: 'hunter2://', verification: {hash: hunter2}}}]}",
        b"ignition: {config: {merge: [{inline: hunter2}]}}",
        b"boot_device: {layout: hunter2}",
    ],
)
def test_errors_show_no_value_of_the_config(text: bytes) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        response_to("a", b"variant: fcos\nversion: 1.5.0\n" + text)
    assert "hunter" not in " ".join([str(caught.value), *caught.value.report])


@pytest.mark.system
def test_translator_is_loaded_by_the_first_butane_config() -> None:
    """A machine configuration of Talos does not load it."""
    program = """
import sys
from lambda_matchbox.answers.ignition import respond
from lambda_matchbox.catalog.templates import Template
respond(Template("ignition", "a", b"machine: {}"), {})
print("lambda_matchbox.ignition.butane" in sys.modules, "lambda_matchbox.ignition.config" in sys.modules)
respond(Template("ignition", "a", b"variant: fcos\\nversion: 1.5.0"), {})
print("lambda_matchbox.ignition.butane" in sys.modules)
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "False False\nTrue\n" == result.stdout


def test_unknown_variant_is_not_shown() -> None:
    assert "hunter2" not in refusal("a", b"variant: hunter2\nversion: 1.0.0\n")


def test_talos_configuration_is_served_as_rendered() -> None:
    """matchbox serves a 404."""
    recording = RECORDED["talos.yaml"]
    assert recording.response is None
    response = response_to("talos.yaml", recording.source, **recording.data)
    assert Response.of(recording.source, "application/x-yaml") == response


def test_empty_talos_documents_are_ignored() -> None:
    source = b"machine: {type: {{.type}}}\n---\napiVersion: v1alpha1\nkind: X\n---\n"
    response = response_to("a", source, type="worker")
    assert source.replace(b"{{.type}}", b"worker") == response.body


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"", "is empty"),
        (b"# c\n---\n", "is empty"),
        (b"machine: {}\n---\n- a\n", "is not a mapping at line 3"),
        (b"hunter2", "is not a mapping at line 1"),
        (b"machine: {}\n---\nvariant: fcos\n", "has a Butane config behind another document at line 3"),
        (b"a: hunter2: b\n", "is not YAML at line 1: mapping values are not allowed in this context"),
        (b"a: \xff", "is not YAML: a character is not UTF-8 or not allowed in YAML"),
    ],
)
def test_other_texts_are_refused(source: bytes, reason: str) -> None:
    """The error shows nothing of the rendered text."""
    assert f"template 'a.yaml': what it renders {reason}" == refusal("a.yaml", source)


def test_template_that_does_not_render_is_a_render_error() -> None:
    with pytest.raises(RenderError):
        response_to("a.yaml", b"{{.nope}}")
