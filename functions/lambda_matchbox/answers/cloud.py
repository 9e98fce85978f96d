"""What does /cloud answer? The rendered template, if it is a script or a cloud-config."""

from collections.abc import Mapping

from lambda_matchbox.answers.errors import InvalidConfigError, translated_errors
from lambda_matchbox.gotemplate.engine import render
from lambda_matchbox.ignition.yaml import YamlError, documents

_HEADER = "#cloud-config"


def cloud_answer(template_id: str, source: bytes, data: Mapping[str, object]) -> bytes:
    """The template `source` rendered over `data`, unchanged.

    As in coreos-cloudinit, a script begins with `#!`, and the first line of a cloud-config is `#cloud-config`, blanks
    behind it aside. Unlike there, what follows has to be a mapping (or nothing).

    Raises:
        RenderError: it does not render.
        InvalidConfigError: it is neither, or the cloud-config is not YAML.
    """
    with translated_errors(template_id):
        rendered = render(source, data, name=template_id)
    if rendered.startswith(b"#!"):
        return rendered
    header = rendered.partition(b"\n")[0].decode("utf-8", "replace")
    if header.rstrip() != _HEADER:
        raise InvalidConfigError(template_id, "it begins neither with #! nor with the line #cloud-config")
    try:
        found = documents(rendered, first_only=True)
    except YamlError as error:
        where = "" if error.line is None else f"line {error.line} of what it renders: "
        raise InvalidConfigError(template_id, f"its cloud-config is not YAML: {where}{error.reason}") from None
    if found and found[0].keys is None and not found[0].is_null:
        raise InvalidConfigError(template_id, "its cloud-config is not a mapping")
    return rendered
