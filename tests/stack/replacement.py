"""What CloudFormation replaces: of some properties its schemas say that another value makes another resource."""

from collections.abc import Mapping
from functools import cache
from typing import Any


def created_once(resource: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The resource's type, and the values of those properties by their paths."""
    properties = resource.get("Properties", {})
    return resource["Type"], {path: _value(properties, path) for path in _paths(resource["Type"])}


@cache
def _paths(kind: str) -> tuple[str, ...]:
    # It takes seconds.
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    found = [
        each for name in ("createOnlyProperties", "conditionalCreateOnlyProperties") for each in schema.get(name, ())
    ]
    return tuple(path.removeprefix("/properties/") for path in found)


def _value(properties: Any, path: str) -> Any:
    for name in path.split("/"):
        properties = properties.get(name) if isinstance(properties, Mapping) else None
    return properties
