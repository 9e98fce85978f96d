"""DynamoDB's attribute values, such as `{"S": "text"}`, for its JSON protocol and for boto3's client alike.

boto3's own serializer makes every number a Decimal.
"""

from binascii import a2b_base64
from collections.abc import Mapping
from typing import Any

Item = dict[str, Any]
"""Values are str, int (Decimal with a fraction), bytes, bool, None, and lists and dicts of them."""


def encode_item(item: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The item as boto3's client takes it. Raises TypeError for a value of another type than Item's."""
    return {name: _encode(value) for name, value in item.items()}


def decode_item(item: Mapping[str, Mapping[str, Any]]) -> Item:
    """The item as Python values, from boto3's client or from the JSON protocol. Sets become lists."""
    # Most are texts.
    return {name: value["S"] if "S" in value else _decode(value) for name, value in item.items()}


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
            return {"B": value}
        case Mapping():
            return {"M": encode_item(value)}
        case list() | tuple():
            return {"L": [_encode(member) for member in value]}
    return {"N": _fraction(value)}


def _decode(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return _number(content)
        case "NULL":
            return None
        case "B" if isinstance(content, str):
            # The JSON protocol has base64 where boto3 has bytes.
            return a2b_base64(content)
        case "M":
            return decode_item(content)
        case "L":
            return [_decode(member) for member in content]
    return content


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
