from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from matchboxctl.talos.machine_config import STRING, ConfigError, MachineConfig, Path, documents_in, scalars, values_in
from matchboxctl.talos.secret_values import Secrets
from matchboxctl.talos.template import Slot, edited, pair_edits, secret_edits, slot_edits
from tests.support.talos_files import HOSTNAME_CONFIG, SECRETS, role_file
from tests.unit.matchboxctl.talos.rendering import put_together_again, rendered

# YAML reads further characters as line ends, in quotes as well.
_TEXTS = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]) | st.sampled_from('\n{}"#:- ')) | st.sampled_from(
    ["{{secret}}", "{{", "}}", "{{/*", "a: b", "off", "0x1", "# c"]
)
_KEYS = st.sampled_from(["token", "password", "privateKey", "a", "b.c", "content", "{{k}}"])
_VALUES = st.recursive(
    _TEXTS | st.integers(-9, 9) | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)
SLOT = Slot('{{with get . "value"}}', "{{toJson .}}")


def places(text: str) -> dict[Path, tuple[str, bool]]:
    """All scalars of a text by their paths, and whether each is a text."""
    found = (scalars(node) for node in documents_in(text))
    return {path: (node.value, node.tag == STRING) for each in found for path, node in each}


@given(
    document=st.dictionaries(_KEYS, _VALUES, min_size=1),
    flow=st.booleans(),
    style=st.sampled_from([None, '"', "'", "|"]),
)
def test_any_document_is_itself_again(document: dict[str, Any], flow: bool, style: str | None) -> None:
    text = yaml.safe_dump({"machine": document}, default_flow_style=flow, default_style=style, allow_unicode=True)
    own, again = places(text), places(put_together_again(text))
    assert {path: value for path, (value, _) in own.items()} == {path: value for path, (value, _) in again.items()}
    # A secret that looks like a number becomes a text, which is how Talos reads it.
    assert all(is_text or not own[path][1] for path, (_, is_text) in again.items())


@given(
    document=st.dictionaries(_KEYS, _VALUES, min_size=1),
    paths=st.lists(st.lists(_KEYS, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3, unique=True),
    flow=st.booleans(),
)
def test_a_slot_gives_its_value_or_the_files_own(document: dict[str, Any], paths: list[Path], flow: bool) -> None:
    text = yaml.safe_dump(document, default_flow_style=flow, allow_unicode=True) + "# The end.\n"
    config = MachineConfig(text)
    if config.main is None:
        return
    try:
        edits = slot_edits(config.main, dict.fromkeys(paths, SLOT), text)
    except ConfigError:
        return
    template = edited(text, edits)
    (without,) = values_in(rendered(template, Secrets(), {}))
    (own,) = values_in(text)
    # A mapping that was absent is empty.
    assert _without_empty(own) == _without_empty(without)
    for path in paths:
        (value,) = values_in(rendered(template, Secrets(), {"value": ["v", 1]}))
        for key in path:
            value = value[key]
        assert ["v", 1] == value


def _without_empty(value: object) -> object:
    if isinstance(value, dict):
        members = ((key, _without_empty(member)) for key, member in value.items())
        return {key: member for key, member in members if member not in ({}, None)}
    return value


def test_template_has_the_files_comments_and_no_secret() -> None:
    text = role_file("controlplane", documents=HOSTNAME_CONFIG)
    edits, paths = secret_edits(MachineConfig(text), "demo", Secrets(), "f.yaml")
    template = edited(text, edits)
    assert 'token: {{secret "talos/demo/cluster" "trustdinfo.token" | toJson}} # The `token` is used' in template
    assert 'key: {{secret "talos/demo/certs/k8sserviceaccount" | b64enc | toJson}}\n' in template
    assert template.endswith(HOSTNAME_CONFIG)
    assert not [secret for secret in SECRETS if secret in template]
    assert 14 == len(paths[""])
    assert values_in(text) == values_in(put_together_again(text))


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("a: 1 # One.\nb: 2\n", ("a",), 'a: ["x"] # One.\nb: 2\n'),
        ("a:\n- 1\n# One.\nb: 2\n", ("a",), 'a:\n ["x"]\n# One.\nb: 2\n'),
        ("a:\n  b:\n    c: 1\n", ("a", "b", "d"), 'a:\n  b:\n    d: ["x"]\n    c: 1\n'),
        ("a: {}\n", ("a", "b"), 'a: { b: ["x"], }\n'),
        ("a: {c: 1}\n", ("a", "b"), 'a: { b: ["x"], c: 1}\n'),
        ("a:\nb: 2\n", ("a", "c"), 'a: { c: ["x"], }\nb: 2\n'),
        ("b: 2\n", ("a", "node.k8s.io/b"), 'a: { node.k8s.io/b: ["x"], }\nb: 2\n'),
        ("b: 2\n", ("{{a}}",), '"{{a}}": ["x"]\nb: 2\n'),
        ("a: |\n  x\n  {{y}}\nb: 2\n", ("a",), 'a: ["x"]\nb: 2\n'),
    ],
)
def test_slot_keeps_the_text_around_it(text: str, path: Path, expected: str) -> None:
    main = MachineConfig(text).main
    assert main is not None
    template = edited(text, slot_edits(main, {path: SLOT}, text))
    assert expected == rendered(template, Secrets(), {"value": ["x"]})


def test_two_slots_below_a_key_that_the_file_lacks_are_one_mapping() -> None:
    text = "b: 2\n"
    main = MachineConfig(text).main
    assert main is not None
    template = edited(text, slot_edits(main, {("a", "x"): SLOT, ("a", "y"): SLOT}, text))
    assert "a: { x: 1, y: 1, }\nb: 2\n" == rendered(template, Secrets(), {"value": 1})


@pytest.mark.parametrize(
    ("text", "paths", "reason"),
    [
        ("a: {b: 1}\n", [("a",), ("a", "b")], "a: nodes have both a value for it and values below it"),
        ("c: 1\n", [("a",), ("a", "b")], "a: nodes have both a value for it and values below it"),
        ("a: [1]\n", [("a", "b")], "a is not a mapping, but nodes have values below it"),
    ],
)
def test_slots_that_exclude_each_other_are_refused(text: str, paths: list[Path], reason: str) -> None:
    main = MachineConfig(text).main
    assert main is not None
    with pytest.raises(ConfigError, match=reason):
        slot_edits(main, dict.fromkeys(paths, SLOT), text)


def test_a_key_gives_way_to_another() -> None:
    text = HOSTNAME_CONFIG.removeprefix("---\n")
    node = MachineConfig(text).documents[0].node
    template = edited(text, pair_edits(node, "auto", '{{with get . "value"}}hostname: {{.}}', text))
    assert text == rendered(template, Secrets(), {})
    assert text.replace("auto: stable", "hostname: n-1") == rendered(template, Secrets(), {"value": "n-1"})


def test_a_key_gives_way_to_another_in_json() -> None:
    text = '{"auto": "stable", "kind": "HostnameConfig"}'
    node = MachineConfig(text).documents[0].node
    template = edited(text, pair_edits(node, "auto", '{{with get . "value"}}hostname: {{.}}', text))
    for metadata, key in (({}, ("auto", "stable")), ({"value": "n-1"}, ("hostname", "n-1"))):
        assert [dict([key, ("kind", "HostnameConfig")])] == values_in(rendered(template, Secrets(), metadata))


@pytest.mark.parametrize("empty", ["disk:", "disk:  # None yet.", "disk: ~"])
def test_a_value_takes_the_place_of_nothing(empty: str) -> None:
    text = f"machine:\n  {empty}\n  type: worker\n"
    config = MachineConfig(text)
    assert config.main is not None
    template = edited(text, slot_edits(config.main, {("machine", "disk"): SLOT}, text))
    for metadata, disk in (({}, None), ({"value": "/dev/sda"}, "/dev/sda")):
        assert [{"machine": {"disk": disk, "type": "worker"}}] == values_in(rendered(template, Secrets(), metadata))
