"""The response of /ignition: an Ignition config, also one translated from Butane, or Talos' machine configuration."""

from collections.abc import Mapping

from lambda_matchbox.answers import rendered
from lambda_matchbox.answers.errors import InvalidConfigError
from lambda_matchbox.catalog.templates import Template
from lambda_matchbox.http import Response
from lambda_matchbox.ignition.yaml import YamlError, documents
from lambda_matchbox.secrets.function import MadeFunction, refused

_IGNITION_SUFFIXES = (".ign", ".ignition")
_VARIANT = "variant"


def is_ignition_config(template_id: str) -> bool:
    """Whether a template of that name is an Ignition config as it is, and not rendered."""
    return template_id.endswith(_IGNITION_SUFFIXES)


def respond(template: Template, data: Mapping[str, object], secrets: MadeFunction = refused) -> Response:
    """The response from a template.

    A template named `….ign` or `….ignition` is an Ignition config; every other is rendered over `data`. The result is a
    Butane config if it is a mapping with `variant`, and is then served as an Ignition config, with Butane's report;
    other YAML documents that are mappings are served as rendered. Talos skips empty documents.

    Raises:
        RenderError: it does not render.
        InvalidConfigError: Ignition or Butane would refuse the config, or what is rendered is not YAML or not a
            mapping.
    """
    if is_ignition_config(template.id):
        from lambda_matchbox.ignition.config.parse import IgnitionError, parse_and_translate

        try:
            return Response.of(parse_and_translate(template.body), "application/json")
        except IgnitionError as error:
            raise InvalidConfigError(template.id, str(error)) from None
    return rendered.respond(template, data, secrets, _response)


def _response(template_id: str, text: bytes) -> Response:
    try:
        if _is_butane(text):
            from lambda_matchbox.answers import butane

            return butane.respond(template_id, text)
        problem = _talos_problem(text)
    except YamlError as error:
        where = "" if error.line is None else f" at line {error.line}"
        problem = f"is not YAML{where}: {error.reason}"
    if problem:
        raise InvalidConfigError(template_id, f"what it renders {problem}")
    return Response.of(text, "application/x-yaml")


def _is_butane(text: bytes) -> bool:
    """Whether the first document is Butane's, which reads no other."""
    if _VARIANT.encode() not in text:
        return False
    first = documents(text, first_only=True)
    return bool(first) and first[0].keys is not None and _VARIANT in first[0].keys


def _talos_problem(text: bytes) -> str:
    """Why `text` cannot be a machine configuration of Talos; empty if it can.

    Raises YamlError.
    """
    mappings = [document for document in documents(text) if not document.is_null]
    if not mappings:
        return "is empty"
    for document in mappings:
        if document.keys is None:
            return f"is not a mapping at line {document.line}"
        if _VARIANT in document.keys:
            return f"has a Butane config behind another document at line {document.line}"
    return ""
