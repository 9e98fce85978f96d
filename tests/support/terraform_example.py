"""The resources of `examples/terraform`, read by the part of Terraform's language that it uses."""

import re
from collections.abc import Mapping
from typing import Any

import hcl2

from tests.support.paths import EXAMPLES
from tests.support.terraform import Group, Profile, Resource

EXAMPLE = EXAMPLES / "terraform"


def example() -> list[Resource]:
    """The profiles and groups."""
    parsed = _plain(hcl2.loads((EXAMPLE / "main.tf").read_text()))
    known: dict[str, Any] = {}
    for block in parsed["locals"]:
        known |= {f"local.{name}": value for name, value in block.items() if not name.startswith("__")}
    found: list[Resource] = []
    for block in parsed["resource"]:
        ((kind, named),) = block.items()
        ((label, fields),) = named.items()
        fields = {name: value for name, value in fields.items() if not name.startswith("__")}
        each = _value(fields.pop("for_each"), known) if "for_each" in fields else {"": ""}
        for key, value in each.items():
            filled = _value(fields, known | {"each.key": key, "each.value": value})
            made = _resource(kind, filled)
            known[f"{kind}.{label}.name"] = made.name
            found.append(made)
    return found


def _resource(kind: str, fields: dict[str, Any]) -> Resource:
    if kind == "matchbox_group":
        return Group(**fields)
    return Profile(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})


def _plain(value: Any) -> Any:
    """The value without the quotes that the parser keeps."""
    if isinstance(value, dict):
        return {name.strip('"'): _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.removeprefix('"').removesuffix('"') if isinstance(value, str) else value


def _value(value: Any, known: Mapping[str, Any]) -> Any:
    """The value of an expression: a reference, a file's text, or a string with escaped `${`."""
    if isinstance(value, dict):
        return {name: _value(one, known) for name, one in value.items()}
    if isinstance(value, list):
        return [_value(one, known) for one in value]
    if file := re.fullmatch(r'\$\{file\("([^"]+)"\)\}', value):
        return (EXAMPLE / file[1]).read_text()
    if reference := re.fullmatch(r"\$\{([a-z_.]+)\}", value):
        return known[reference[1]]
    assert "${" not in value.replace("$${", ""), value
    return value.replace("$${", "${")
