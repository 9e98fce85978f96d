"""What does /ignition answer? An Ignition config, also one translated from Butane, or Talos' machine configuration."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from lambda_matchbox.answers.errors import translated_errors
from lambda_matchbox.ignition.errors import IgnitionError
from lambda_matchbox.ignition.yaml import YamlError, documents

_IGNITION_SUFFIXES = (".ign", ".ignition")
_JSON = "application/json"
_YAML = "application/x-yaml"
_VARIANT = "variant"


class IgnitionAnswer(NamedTuple):
    """The value of Content-Type, and the body."""

    content_type: str
    body: bytes


def is_ignition_config(template_id: str) -> bool:
    """Whether a template of that name is no template, but an Ignition config as it is."""
    return template_id.endswith(_IGNITION_SUFFIXES)


def _untold(_line: str) -> None:
    """Nobody wants the report."""


def ignition_answer(
    template_id: str, source: bytes, data: Mapping[str, object], tell: Callable[[str], None] = _untold
) -> IgnitionAnswer:
    """The answer from the template `source`.

    One that is called `….ign` or `….ignition` is an Ignition config and no template. Each other one is rendered over
    `data`. What then is a mapping with `variant` is a Butane config, and is served as the Ignition config that it
    stands for; YAML documents that are mappings without it are served as rendered. Talos skips empty ones.

    `tell` is told each line of Butane's report, warnings too; none of them shows a value.

    Raises:
        RenderError: it does not render.
        InvalidConfigError: Ignition or Butane would refuse the config, or what is rendered is not YAML or
            not a mapping.
    """
    with translated_errors(template_id):
        if is_ignition_config(template_id):
            from lambda_matchbox.ignition.config.parse import parse_and_translate

            return IgnitionAnswer(_JSON, parse_and_translate(source))
        from lambda_matchbox.gotemplate.engine import render

        rendered = render(source, data, name=template_id)
        try:
            if _is_butane(rendered):
                from lambda_matchbox.answers.butane import served

                return IgnitionAnswer(_JSON, served(rendered, tell))
            fault = _talos_fault(rendered)
        except YamlError as error:
            where = "" if error.line is None else f" at line {error.line}"
            fault = f"is not YAML{where}: {error.reason}"
        except IgnitionError as error:
            fault = f"is a Butane config that is refused: {error}"
        if fault:
            raise IgnitionError(f"what it renders {fault}")
        return IgnitionAnswer(_YAML, rendered)


def _is_butane(rendered: bytes) -> bool:
    """Whether the first document is Butane's: it reads no other."""
    if _VARIANT.encode() not in rendered:
        return False
    first = documents(rendered, first_only=True)
    return bool(first) and first[0].keys is not None and _VARIANT in first[0].keys


def _talos_fault(rendered: bytes) -> str:
    """Why `rendered` cannot be a machine configuration of Talos; empty if it can.

    Raises YamlError.
    """
    mappings = [document for document in documents(rendered) if not document.is_null]
    if not mappings:
        return "is empty"
    for document in mappings:
        if document.keys is None:
            return f"is not a mapping at line {document.line}"
        if _VARIANT in document.keys:
            return f"has a Butane config behind another document at line {document.line}"
    return ""
