"""Keys of the table: their texts are in the tables that exist."""

import json

from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.aws.keys import selector_text
from lambda_matchbox.catalog.selection import Selector

TEXTS = st.text(st.characters())


@given(st.lists(st.tuples(TEXTS, TEXTS)))
def test_selector_text_is_compact_json(pairs: list[tuple[str, str]]) -> None:
    assert json.dumps(pairs, separators=(",", ":")) == selector_text(Selector(tuple(pairs)))
