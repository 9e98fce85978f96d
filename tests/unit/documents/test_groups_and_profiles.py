"""Groups and profiles are read from their files as Go reads them."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.catalog.selection import selectors_of
from lambda_matchbox.documents.groups_and_profiles import parse_group, parse_profile
from lambda_matchbox.errors import DocumentError
from lambda_matchbox.machines.policy import Policy


def test_a_group_has_the_id_of_its_file() -> None:
    text = b'{"id": "x", "name": "n", "profile": "p", "selector": {"os": "a"}, "metadata": {"list": [1, null, {}]}}'
    assert Group("file", "n", "p", {"os": "a"}, {"list": [1, None, {}]}) == parse_group("file", text)


def test_a_profile_is_written_as_it_is_read() -> None:
    text = b"""{"id": "x", "name": "n", "ignition_id": "i", "cloud_id": "c", "generic_id": "g",
                "boot": {"kernel": "k", "initrd": ["a", "b"], "args": ["c"]}, "metadata": {"n": [1, null, {}]}}"""
    expected = Profile("file", "n", "i", "c", "g", NetBoot("k", ("a", "b"), ("c",)), {"n": [1, None, {}]})
    assert expected == parse_profile("file", text)
    assert expected == parse_profile("file", json.dumps(expected.document()).encode())


def test_a_group_may_have_a_boot_policy() -> None:
    text = b'{"profile": "p", "boot": {"once": true, "from": ["10.0.0.0/8"]}}'
    group = Group("g", "", "p", boot=Policy(once=True, from_networks=("10.0.0.0/8",)))
    assert group == parse_group("g", text)
    assert group == parse_group("g", json.dumps(group.document()).encode())
    assert "boot" not in Group("g").document()
    for nothing in (b'{"boot": {}}', b'{"boot": null}', b'{"boot": {"approve": false}}'):
        assert parse_group("g", nothing).boot is None


def test_field_names_match_in_any_case() -> None:
    text = b'{"PROFILE": "p", "Selector": {"OS": "a"}, "metaData": {"Key": 1}}'
    assert Group("g", "", "p", {"OS": "a"}, {"Key": 1}) == parse_group("g", text)
    boot = parse_profile("p", b'{"Boot": {"KERNEL": "k", "Initrd": ["i"]}, "Ignition_ID": "x"}')
    assert Profile("p", ignition_id="x", boot=NetBoot("k", ("i",))) == boot


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'{"profile": "a", "PROFILE": "b"}', "b"),
        (b'{"PROFILE": "b", "profile": "a"}', "a"),
        (b'{"profile": "a", "profile": "b"}', "b"),
    ],
)
def test_the_last_spelling_of_a_field_wins(text: bytes, expected: str) -> None:
    assert expected == parse_group("g", text).profile


def test_null_is_the_empty_value() -> None:
    group = b'{"id": null, "name": null, "profile": null, "selector": null, "metadata": null}'
    assert Group("g") == parse_group("g", group)
    assert {"os": ""} == parse_group("g", b'{"selector": {"os": null}}').selector
    assert Profile("p") == parse_profile("p", b'{"name": null, "ignition_id": null, "boot": null, "metadata": null}')
    boot = b'{"boot": {"kernel": null, "initrd": null, "args": [null]}}'
    assert NetBoot("", (), ("",)) == parse_profile("p", boot).boot


def test_unknown_keys_are_ignored() -> None:
    assert Group("g") == parse_group("g", b'{"other": [1], "sel\xc3\xa9ctor": 5}')
    assert Profile("p", boot=NetBoot()) == parse_profile("p", b'{"boot": {"cmdline": 1}, "x": {}}')


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (b'{\n"name": "n",\n"profile": 5}', ["line 3: profile: not a string"]),
        (b'{\n"selector": {\n"os": 5}}', ["line 3", "selector.os: neither a string nor a list of strings"]),
        (b'{\n"selector": {\n"os": {"a": "b"}}}', ["line 3", "selector.os: neither a string nor a list of strings"]),
        (b'{\n"selector": {\n"os": []}}', ["line 3", "selector.os: an empty list matches no machine"]),
        (b'{"selector": {"os":\n["a",\n5]}}', ["line 3", "selector.os.1: not a string"]),
        (b'{"selector": {"os":\n["a",\n["b"]]}}', ["line 3", "selector.os.1: not a string"]),
        (b'{"selector": {"mac":\n["52:54:00:12:34:56",\n"?"]}}', ["line 3", "selector.mac.1: invalid MAC address '?'"]),
        (b'{"metadata": {"profile": "p"},\n"x": [{"profile": 1}],\n"PROFILE":\n5,\n"y": {"profile": 2}}', ["line 3"]),
        (b'{"profile": 5,\n"profile": 6}', ["line 2", "profile"]),
        (b'{"metadata": {"x": "\\"selector\\": {"},\n"selector": 5}', ["line 2", "selector"]),
        (b'{"name": "n",\n\n"Selector": ["os"]}', ["line 3", "selector"]),
        (b'{"metadata": "text"}', ["line 1: metadata: not an object"]),
        (b'{"profile": true}', ["line 1", "profile"]),
        (b'{"name": "n",\n"profile": "p",\n}', ["line 3", "not JSON"]),
        (b"", ["line 1", "not JSON"]),
        (b"[]", ["line 1", "not a JSON object"]),
        (b"\n\n[]", ["line 3", "not a JSON object"]),
        (b"null", ["line 1", "not a JSON object"]),
        (b'{"boot": true}', ["line 1: boot: not an object"]),
        (b'{"boot": {"once": true,\n"onze": true}}', ["line 2: boot.onze: unknown"]),
        (b'{"boot": {"from":\n["10.0.0.1/8"]}}', ["boot.from: 10.0.0.1/8 has host bits set"]),
        (b'{"metadata": {"a": NaN}}', ["line 1: NaN"]),
        (b'{"name": "NaN",\n"metadata":\n{"a": [1,\nNaN]}}', ["line 4: NaN is not JSON"]),
        (b'{"metadata": {"a":\n-Infinity}}', ["line 2: -Infinity"]),
        (b'{"metadata":\n{"a": [Infinity', ["line 2: Infinity"]),
        (b'{"metadata": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", ["line 1: nested too deeply"]),
        (b'{"metadata":\n' + b"[" * 100_000 + b"]" * 100_000 + b"}", ["line 2: nested too deeply"]),
        (b'{"metadata":\n' + b"[" * 800 + b'"\\ud800"' + b"]" * 800 + b"}", ["line 2: nested too deeply"]),
    ],
)
def test_errors_of_a_group_name_line_and_field(text: bytes, parts: list[str]) -> None:
    with pytest.raises(DocumentError) as raised:
        parse_group("g", text)
    message = str(raised.value)
    assert [] == [part for part in parts if part not in message]
    assert 1 == len(message.splitlines())


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (b'{\n"ignition_id": 1}', ["line 2", "ignition_id"]),
        (b'{\n\n"boot": {"kernel": 1}}', ["line 3", "boot.kernel"]),
        (b'{"boot": {"initrd": "one"}}', ["line 1: boot.initrd: not a list"]),
        (b'{"boot": {"args": ["a", 2]}}', ["line 1: boot.args.1: not a string"]),
        (b'{"boot": {"initrd": ["a",\n{}],\n"args": [\n"a",\n\n2]}}', ["line 2", "boot.initrd.1"]),
        (b'{"x": [[], {}, [1]],\n"boot": {"initrd": [],\n"args": [\n"a",\n\n2]}}', ["line 6", "boot.args.1"]),
        (b'{"boot": {"kernel": 1},\n"Boot": {\n"Kernel": 2}}', ["line 3", "boot.kernel"]),
        (b'{"boot": []}', ["line 1: boot: not an object"]),
        (b'{"boot": {},\n"metadata": []}', ["line 2", "metadata"]),
        (b'{"boot": {\n"kernel": "/k\\nshell"}}', ["line 2: boot.kernel: the control character '\\n'", "remove it"]),
        (b'{"boot": {"initrd": ["/i",\n"/j\\r"]}}', ["line 2: boot.initrd.1: the control character '\\r'"]),
        (b'{"boot": {"args": ["a", "b",\n"c\\u0085"]}}', ["line 2: boot.args.2: the control character '\\x85'"]),
        (b'{"boot": {"args": ["a\\u2028"]}}', ["line 1: boot.args.0: the control character '\\u2028'"]),
        (b'{"boot": {},\n"Metadata": "x"}', ["line 2", "metadata"]),
    ],
)
def test_errors_of_a_profile_name_line_and_field(text: bytes, parts: list[str]) -> None:
    with pytest.raises(DocumentError) as raised:
        parse_profile("p", text)
    assert [] == [part for part in parts if part not in str(raised.value)]


def test_a_tab_in_an_argument_separates_words() -> None:
    assert NetBoot(args=("a\tb",)) == parse_profile("p", b'{"boot": {"args": ["a\\tb"]}}').boot


@pytest.mark.parametrize("key", ["mac", "MAC", "Mac"])
def test_a_mac_selector_is_normalised(key: str) -> None:
    group = parse_group("g", b'{"selector": {"%s": "52-54-00-A1-9C-AE"}}' % key.encode())
    assert {key: "52:54:00:a1:9c:ae"} == group.selector


@pytest.mark.parametrize("value", [b'"?"', b'""', b"null"])
def test_an_invalid_mac_selector_is_an_error(value: bytes) -> None:
    with pytest.raises(DocumentError, match=r"line 3: selector.mac: invalid MAC address"):
        parse_group("g", b'{"name": "mac",\n"selector": {"os": "mac",\n"mac": %s}}' % value)


def test_listed_values_count_once() -> None:
    text = b"""{"selector": {"MAC": ["52-54-00-A1-9C-AE", "52:54:00:a1:9c:ae", "525400a19caf"], "os": ["b", null, "a"],
                             "one": ["x"], "same": ["y", "y"], "mac": ["52-54-00-A1-9C-AE"]}}"""
    expected = {
        "MAC": ("52:54:00:a1:9c:ae", "52:54:00:a1:9c:af"),
        "os": ("b", "", "a"),
        "one": "x",
        "same": "y",
        "mac": "52:54:00:a1:9c:ae",
    }
    assert expected == parse_group("g", text).selector


@pytest.mark.parametrize(
    ("sizes", "number"), [((40,), 40), ((41,), 41), ((8, 5), 40), ((7, 6), 42), ((41, 9, 9), 3321)]
)
def test_too_many_combinations_are_counted_in_the_error(sizes: tuple[int, ...], number: int) -> None:
    selector = {f"k{at}": [str(value) for value in range(size)] for at, size in enumerate(sizes)}
    text = b'{"name": "selector",\n"selector": %s}' % json.dumps(selector).encode()
    if number <= 40:
        assert number == len(selectors_of(parse_group("g", text).selector))
        return
    why = f"line 2: selector: its lists have {number} combinations, more than 40: split the group"
    with pytest.raises(DocumentError, match=why):
        parse_group("g", text)


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1" + "0" * 400, "1" + "0" * 5000])
def test_numbers_beyond_a_float_are_errors(number: str) -> None:
    with pytest.raises(DocumentError, match=f"line 3: the number {number[:40]}(\\.\\.\\.)? is too large"):
        parse_group("g", b'{"name": "%s",\n"metadata": {"a": [1,\n%s]}}' % (number.encode(), number.encode()))


def test_lone_surrogates_and_invalid_bytes_are_replaced() -> None:
    text = b'{"name": "\\ud800", "profile": "\xff", "selector": {"\\udc22": "\\ud83d\\udc22"}, "metadata": ["\\ud800"]}'
    group = parse_group("g", text.replace(b'["\\ud800"]', b'{"\\uD800": ["\\uD800"]}'))
    assert Group("g", "\ufffd", "\ufffd", {"\ufffd": "\U0001f422"}, {"\ufffd": ["\ufffd"]}) == group


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.dictionaries(st.sampled_from(["id", "Name", "profile", "SELECTOR", "metadata", "boot", "x"]), JSON)


@given(st.binary(max_size=60) | FIELDS.map(lambda fields: str(fields).replace("'", '"').encode("utf-8", "replace")))
def test_any_bytes_are_a_document_or_an_error(text: bytes) -> None:
    for parse in (parse_group, parse_profile):
        with suppress(DocumentError):
            assert "file" == parse("file", text).id
