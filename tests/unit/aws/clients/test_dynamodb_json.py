"""Values are written as boto3's client takes them, and read from it and from the JSON protocol."""

import base64
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.aws.clients.dynamodb_json import decode_item, encode_item

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**37), 10**37)
    | st.decimals(-1000, 1000, places=3).filter(lambda number: number != int(number))
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_items_survive_both_forms(item: dict[str, Any]) -> None:
    encoded = encode_item(item)
    assert {name: TypeSerializer().serialize(value) for name, value in item.items()} == encoded
    assert item == decode_item(encoded)
    assert item == decode_item(in_base64(encoded))


def in_base64(value: Any) -> Any:
    """As the JSON protocol has it."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {key: in_base64(member) for key, member in value.items()}
    return [in_base64(member) for member in value] if isinstance(value, list) else value


@pytest.mark.parametrize("value", [1.5, {"a", "b"}, Decimal("NaN"), object()])
def test_values_without_a_type_are_refused(value: object) -> None:
    with pytest.raises(TypeError, match="DynamoDB has no type"):
        encode_item({"id": value})


def test_sets_are_read_as_lists() -> None:
    assert {"names": ["a"]} == decode_item({"names": {"SS": ["a"]}})
