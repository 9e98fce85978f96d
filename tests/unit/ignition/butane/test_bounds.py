"""The limits of a translation, so that no config blocks a machine or exhausts memory."""

import json
import sys
from collections.abc import Iterator

import pytest

from lambda_matchbox.answers.butane import respond
from lambda_matchbox.answers.errors import InvalidConfigError
from lambda_matchbox.ignition.butane.reading.unused_keys import Positions
from lambda_matchbox.ignition.butane.reading.yaml_nodes import Mapping, Node, Scalar
from lambda_matchbox.ignition.butane.report import MAX_ENTRIES, ButaneError, Position, rest
from lambda_matchbox.ignition.config.rules import problems
from tests.support.butane_form import translate

pytestmark = pytest.mark.slow

HEAD = "variant: fcos\nversion: 1.5.0\n"
FILES = "storage:\n  files:\n"
NODES = "it takes too long: more than 100000 values, keys, lists and mappings"
VALUES = "it takes too long: more than 100000 values"
TEXT = "it takes too long: more than 16777216 characters of text"
LONG = "x: &x '" + "y" * 1_000_000 + "'\n"
MANY = "x: &x\n  append: [" + "{inline: a}," * 1000 + "]\n"
MERGES = "it takes too long: more than 100 merge keys behind each other"
ALIASING = "yaml: document contains excessive aliasing"
LONG_KEY = "k" * 500_000
TWICE = f"x: &x {{? {LONG_KEY} : 1, ? {LONG_KEY} : 1}}\n"


def chain(length: int) -> str:
    """A file whose mode is behind so many merge keys."""
    links = "".join(f"x{number}: &x{number} {{<<: *x{number - 1}}}\n" for number in range(1, length))
    return f"x0: &x0 {{mode: 420}}\n{links}storage: {{files: [{{path: /a, <<: *x{length - 1}}}]}}\n"


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("x: [" + "a," * 100_000 + "]\n", NODES),
        (LONG + FILES + "".join(f"    - {{path: /{n}, contents: {{inline: *x}}}}\n" for n in range(17)), TEXT),
        (MANY + FILES + "".join(f"    - {{path: /{n}, <<: *x}}\n" for n in range(100)), VALUES),
        (chain(101), MERGES),
        (chain(20_000), MERGES),
        ("storage: {files: [{" + "<<: {" * 200 + "}" * 200 + "}]}\n", MERGES),
        (
            "x: &x {" + "".join(f"k{n}: 1, " for n in range(1000)) + "}\n" + FILES + "    - *x\n" * 100,
            ALIASING,
        ),
        (TWICE + FILES + "    - *x\n" * 40, TEXT),
    ],
    ids=[
        *("nodes", "text behind aliases", "values behind merge keys", "merge keys", "many merge keys"),
        *("merge keys in each other", "keys behind aliases", "repeated keys behind aliases"),
    ],
)
def test_too_large_a_config_is_refused(config: str, reason: str) -> None:
    """Also if aliases and merge keys make it large."""
    with pytest.raises(ButaneError) as caught:
        translate(HEAD + config)
    assert reason == caught.value.reason


def test_a_hundred_nested_merge_keys_are_followed() -> None:
    ignition, _ = translate(HEAD + chain(100))
    beside = ", ".join(f"{{k{n}: 1}}" for n in range(20_000))
    other, _ = translate(f"{HEAD}storage: {{files: [{{path: /a, <<: [{beside}, {{mode: 420}}]}}]}}\n")
    expected = {"files": [{"path": "/a", "mode": 420}]}
    assert (expected, expected) == (ignition["storage"], other["storage"])


def lines_of(config: str) -> list[str]:
    try:
        return [*respond("a", config.encode()).report]
    except InvalidConfigError as error:
        return [*error.report, "refused"]


@pytest.mark.parametrize(
    ("config", "last"),
    [
        ("".join(f"k{n}: 1\n" for n in range(1500)), [f"warning at $: {rest(500)}"]),
        (FILES + "    - {path: a}\n" * 1200, [f"error at $: {rest(1399)}", "refused"]),
        (FILES + "    - {path: /a, mode: x}\n" * 1200, [rest(200), "refused"]),
    ],
    ids=["warnings", "errors", "types"],
)
def test_a_report_has_a_thousand_entries_and_counts_the_rest(config: str, last: list[str]) -> None:
    reported = lines_of(HEAD + config)
    assert (MAX_ENTRIES + len(last), last) == (len(reported), reported[-len(last) :])


def test_the_first_error_is_reported_behind_many_warnings() -> None:
    reported = lines_of(HEAD + "".join(f"k{n}: 1\n" for n in range(1500)) + FILES + "    - {path: a}\n")
    expected = "error at $.storage.files.0.path, line 1505 col 14: path not absolute"
    assert (expected, f"warning at $: {rest(500)}", "refused") == (reported[0], *reported[-2:])


def test_rules_are_checked_once() -> None:
    # A generator is called again for each problem: one without problems is called once.
    calls: list[str] = []
    sys.setprofile(lambda frame, event, _: calls.append(event) if frame.f_code is problems.__code__ else None)
    try:
        respond("a", HEAD.encode())
    finally:
        sys.setprofile(None)
    assert ["call", "return"] == calls


def test_empty_structs_are_served_but_not_in_butanes_form() -> None:
    config = HEAD + FILES + "    - {path: /a}\n"
    ignition, _ = translate(config)
    assert {"ignition": {"version": "3.4.0"}, "storage": {"files": [{"path": "/a"}]}} == ignition
    response = json.loads(respond("a", config.encode()).body)
    assert {"path": "/a", "group": {}, "user": {}, "contents": {"verification": {}}} == response["storage"]["files"][0]


def test_large_configs_are_translated() -> None:
    files = "".join(f"    - {{path: /{n}, contents: {{inline: '{n}'}}}}\n" for n in range(1000))
    files += "".join(f"    - {{path: /long/{n}, contents: {{inline: *x}}}}\n" for n in range(3))
    ignition, _ = translate(HEAD + LONG + FILES + files)
    storage = ignition["storage"]
    assert isinstance(storage, dict)
    assert 1003 == len(storage["files"])


class Pairs(list[tuple[Node, Node]]):
    """Pairs of a mapping that count how often they are iterated."""

    searches = 0

    def __iter__(self) -> Iterator[tuple[Node, Node]]:
        self.searches += 1
        return super().__iter__()


def test_a_mapping_is_searched_once_for_all_positions() -> None:
    """Of a repeated key the last counts."""

    def scalar(line: int, value: str) -> Scalar:
        return Scalar(Position(line, 1), value, "", plain=True)

    pairs = Pairs([(scalar(n, key), scalar(n, "x")) for n, key in enumerate("aba", 1)])
    positions = Positions(Mapping(Position(1, 1), pairs))
    found = [positions.of((key,)) for key in ("a", "b", "c")]
    assert ([Position(3, 1), Position(2, 1), Position(1, 1)], 1) == (found, pairs.searches)
