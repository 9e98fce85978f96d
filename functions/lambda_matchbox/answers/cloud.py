"""The response of /cloud: the rendered template, which must be a script or a cloud-config."""

from collections.abc import Mapping

from lambda_matchbox.answers.errors import InvalidConfigError, translated_errors
from lambda_matchbox.catalog.templates import Template
from lambda_matchbox.golang.http.content_type import sniff
from lambda_matchbox.gotemplate.engine import render
from lambda_matchbox.http import Response
from lambda_matchbox.ignition.yaml import YamlError, documents

_HEADER = "#cloud-config"


def respond(template: Template, data: Mapping[str, object]) -> Response:
    """The template rendered over `data`, unchanged.

    As in coreos-cloudinit, a script begins with `#!`, and the first line of a cloud-config is `#cloud-config`, trailing
    blanks aside. Unlike there, what follows must be a mapping or empty.

    Raises:
        RenderError: it does not render.
        InvalidConfigError: it is neither, or the cloud-config is not YAML.
    """
    with translated_errors():
        rendered = render(template.body, data, name=template.id)
    if reason := _problem(rendered):
        raise InvalidConfigError(template.id, reason)
    return Response.of(rendered, sniff(rendered), ranged=True)


def _problem(rendered: bytes) -> str:
    """Why `rendered` cannot be served; empty if it can."""
    if rendered.startswith(b"#!"):
        return ""
    header = rendered.partition(b"\n")[0].decode("utf-8", "replace")
    if header.rstrip() != _HEADER:
        return "it begins neither with #! nor with the line #cloud-config"
    try:
        found = documents(rendered, first_only=True)
    except YamlError as error:
        where = "" if error.line is None else f"line {error.line} of what it renders: "
        return f"its cloud-config is not YAML: {where}{error.reason}"
    if found and found[0].keys is None and not found[0].is_null:
        return "its cloud-config is not a mapping"
    return ""
