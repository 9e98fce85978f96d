"""How does boto3's client write the values of an item?

As DynamoDB's JSON does, but with bytes as they are. boto3's own serializer makes every number a Decimal.
"""

from collections.abc import Mapping
from typing import Any


def typed(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item of texts, bytes, integers and mappings of these as boto3's client takes it."""
    return {name: _typed(value) for name, value in item.items()}


def untyped(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item of texts, bytes, integers and mappings of these as Python values."""
    return {name: _untyped(*value.items()) for name, value in item.items()}


def _typed(value: object) -> dict[str, Any]:
    match value:
        case str():
            return {"S": value}
        case bytes():
            return {"B": value}
        case int():
            return {"N": str(value)}
        case Mapping():
            return {"M": typed(value)}
    raise TypeError(f"no item of the catalogue holds {type(value).__name__}")


def _untyped(member: tuple[str, Any]) -> Any:
    kind, content = member
    match kind:
        case "N":
            return int(content)
        case "M":
            return untyped(content)
    return content
