"""How does DynamoDB write a value in JSON?

As `{"S": "text"}`: one member, named after the type (DynamoDB's API reference, AttributeValue). Sets are not read here.
"""

from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from typing import Any

Item = dict[str, Any]
"""Values are str, int (Decimal with a fraction), bytes, bool, None, and lists and dicts of them."""


def encode_item(item: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The item as DynamoDB reads it. Raises TypeError for a value of another type than Item's."""
    return {name: _encode(value) for name, value in item.items()}


def decode_item(item: Mapping[str, Mapping[str, Any]]) -> Item:
    """The item as Python values. Raises TypeError for a type that is not read here."""
    return {name: _decode(value) for name, value in item.items()}


def _encode(value: object) -> dict[str, Any]:
    match value:
        case str():
            return {"S": value}
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"B": b2a_base64(value, newline=False).decode()}
        case Mapping():
            return {"M": encode_item(value)}
        case list() | tuple():
            return {"L": [_encode(member) for member in value]}
    return {"N": _fraction(value)}


def _decode(value: Mapping[str, Any]) -> Any:
    [(kind, content)] = value.items()
    match kind:
        case "S" | "BOOL":
            return content
        case "NULL":
            return None
        case "N":
            return _number(content)
        case "B":
            return a2b_base64(content)
        case "M":
            return decode_item(content)
        case "L":
            return [_decode(member) for member in content]
    raise TypeError(f"DynamoDB's type {kind!r} is not read here")


def _fraction(value: object) -> str:
    from decimal import Decimal

    if isinstance(value, Decimal) and value.is_finite():
        return str(value)
    raise TypeError(f"DynamoDB has no type for {value!r} of {type(value).__name__}")


def _number(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        # Imported where it is needed: no item of the boot path has a fraction.
        from decimal import Decimal

        return Decimal(text)
