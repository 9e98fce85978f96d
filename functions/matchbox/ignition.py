"""What does /ignition answer? An Ignition config, or the machine configuration of Talos."""

from collections.abc import Mapping
from typing import NamedTuple

from matchbox.ignition_error import IgnitionError

_IGNITION_SUFFIXES = (".ign", ".ignition")
_JSON = "application/json"
_YAML = "application/x-yaml"


class IgnitionAnswer(NamedTuple):
    """The value of Content-Type, and the body."""

    content_type: str
    body: bytes


def ignition_answer(template_id: str, source: bytes, data: Mapping[str, object]) -> IgnitionAnswer:
    """The answer from the template `source`.

    One that is called `….ign` or `….ignition` is an Ignition config and no template. Each other one is rendered over
    `data`; YAML documents that are mappings without `variant` are served as rendered. Talos skips empty ones.

    Raises:
        TemplateError: it does not render.
        IgnitionError: Ignition would refuse the config, what is rendered is not YAML or not a mapping, or it is a
            Butane config, which is not translated.
    """
    if template_id.endswith(_IGNITION_SUFFIXES):
        from matchbox.ignition_config.parse import parse_and_translate

        try:
            return IgnitionAnswer(_JSON, parse_and_translate(source))
        except IgnitionError as error:
            raise IgnitionError(f"template {template_id!r}: {error}") from None
    from matchbox.templates import render

    rendered = render(source, data, name=template_id)
    fault = _talos_fault(rendered)
    if fault:
        raise IgnitionError(f"template {template_id!r}: what it renders {fault}")
    return IgnitionAnswer(_YAML, rendered)


def _talos_fault(rendered: bytes) -> str:
    """Why `rendered` cannot be a machine configuration of Talos; empty if it can."""
    from matchbox.yaml_documents import YamlError, documents

    try:
        found = documents(rendered)
    except YamlError as error:
        where = "" if error.line is None else f" at line {error.line}"
        return f"is not YAML{where}: {error.reason}"
    mappings = [document for document in found if not document.is_null]
    if not mappings:
        return "is empty"
    for document in mappings:
        if document.keys is None:
            return f"is not a mapping at line {document.line}"
        if "variant" in document.keys:
            return "is a Butane config, which this release does not translate"
    return ""
