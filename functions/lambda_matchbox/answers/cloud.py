"""The response of /cloud: the rendered template, which must be a script or a cloud-config."""

from collections.abc import Mapping

from lambda_matchbox.answers import rendered
from lambda_matchbox.answers.errors import InvalidConfigError
from lambda_matchbox.catalog.templates import Template
from lambda_matchbox.golang.http.content_type import sniff
from lambda_matchbox.http import Response
from lambda_matchbox.ignition.yaml import YamlError, documents
from lambda_matchbox.secrets.function import MadeFunction, refused

_HEADER = "#cloud-config"


def respond(template: Template, data: Mapping[str, object], secrets: MadeFunction = refused) -> Response:
    """The template rendered over `data` with these secrets, unchanged.

    As in coreos-cloudinit, a script begins with `#!`, and the first line of a cloud-config is `#cloud-config`, trailing
    blanks aside. Unlike there, what follows must be a mapping or empty.

    Raises:
        RenderError: it does not render.
        InvalidConfigError: it is neither, or the cloud-config is not YAML.
    """
    return rendered.respond(template, data, secrets, _response)


def _response(template_id: str, text: bytes) -> Response:
    if reason := _problem(text):
        raise InvalidConfigError(template_id, reason)
    return Response.of(text, sniff(text), ranged=True)


def _problem(text: bytes) -> str:
    """Why `text` cannot be served; empty if it can."""
    if text.startswith(b"#!"):
        return ""
    header = text.partition(b"\n")[0].decode("utf-8", "replace")
    if header.rstrip() != _HEADER:
        return "it begins neither with #! nor with the line #cloud-config"
    try:
        found = documents(text, first_only=True)
    except YamlError as error:
        where = "" if error.line is None else f"line {error.line} of what it renders: "
        return f"its cloud-config is not YAML: {where}{error.reason}"
    if found and found[0].keys is None and not found[0].is_null:
        return "its cloud-config is not a mapping"
    return ""
