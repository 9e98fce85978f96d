"""Keys that groups and profiles do not have."""

import pytest

from lambda_matchbox.documents.unknown_keys import UnknownKey, unknown_keys


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("profiles", '{\n"boot": {\n"kernl": "k", "Initrd": []}}', ("boot.kernl", 3, "boot.kernel")),
        ("profiles", '{\n"kernel": "k"}', ("kernel", 2, "boot.kernel")),
        ("profiles", '{"Boot": {\n"ignitionId": "i"}}', ("boot.ignitionId", 2, "ignition_id")),
        ("profiles", '{"selector": {}}', ("selector", 1, "")),
        (
            "groups",
            '{"id": "g",\n"selectors": {"kernl": "x"}, "METADATA": {"kernl": "x"}}',
            ("selectors", 2, "selector"),
        ),
        ("groups", '{"_comment": "kernl"}', ("_comment", 1, "")),
    ],
)
def test_unknown_key_has_its_line_and_what_was_meant(kind: str, text: str, found: tuple[str, int, str]) -> None:
    """At every level but in selectors and metadata, whose keys are the operator's; keys may be in any case."""
    assert [UnknownKey(*found)] == unknown_keys(kind, text.encode())
