import pytest

from lambda_matchbox.answers.cloud import respond
from lambda_matchbox.answers.errors import InvalidConfigError, RenderError
from lambda_matchbox.catalog.templates import Template
from tests.unit.gotemplate.rendered_recordings import Recording, recordings

CLOUD = list(recordings("rendering", "cloud"))


@pytest.mark.parametrize("recording", CLOUD, ids=lambda recording: recording.template_id)
def test_response_is_as_recorded_of_matchbox(recording: Recording) -> None:
    """An error where matchbox refused."""
    try:
        body = respond(Template("cloud", recording.template_id, recording.source), recording.data).body
    except (RenderError, InvalidConfigError):
        body = None
    assert recording.response == body


def test_seven_templates_are_recorded() -> None:
    assert {"badyaml", "cc", "missing", "neither", "script", "typed", "unknown"} == {
        recording.template_id.partition(".")[0] for recording in CLOUD
    }


@pytest.mark.parametrize(
    "source",
    [
        b"#!",
        b"#!/bin/sh\n\xff",
        b"#cloud-config",
        b"#cloud-config \t\r\nhostname: a\r\n",
        b"#cloud-config\n",
        b"#cloud-config\n# nothing\n",
        b"#cloud-config\na: 1\n---\nb: [\n",
        b"#cloud-config\na: 1\na: 2\n",
        "#cloud-config\u00a0\nhostname: \u017c\n".encode(),
    ],
)
def test_scripts_and_cloud_configs_are_served_unchanged(source: bytes) -> None:
    """The first document is a mapping or empty."""
    assert source == respond(Template("cloud", "a", source), {}).body


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"", "it begins neither with #! nor with the line #cloud-config"),
        (b" #!/bin/sh\n", "it begins neither with #! nor with the line #cloud-config"),
        (b"#cloud-config x\n", "it begins neither with #! nor with the line #cloud-config"),
        (b"\xef\xbb\xbf#cloud-config\n", "it begins neither with #! nor with the line #cloud-config"),
        (b"#cloud-config\n- a\n", "its cloud-config is not a mapping"),
        (b"#cloud-config\nhunter2\n", "its cloud-config is not a mapping"),
        (
            b"#cloud-config\na: 1\nb: hunter2: x\n",
            "its cloud-config is not YAML: line 3 of what it renders: mapping values are not allowed in this context",
        ),
        (
            b"#cloud-config\na: \x01\n",
            "its cloud-config is not YAML: a character is not UTF-8 or not allowed in YAML",
        ),
    ],
)
def test_other_texts_are_refused(source: bytes, reason: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        respond(Template("cloud", "a.yaml", source), {})
    assert f"template 'a.yaml': {reason}" == str(caught.value)
