import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.answers import butane
from lambda_matchbox.golang.json import compact
from lambda_matchbox.ignition.butane.dialects import dialect_of
from lambda_matchbox.ignition.butane.report import ButaneError
from lambda_matchbox.ignition.butane.schema import fields_of
from lambda_matchbox.ignition.config.parse import parse_and_translate
from tests.conformance.butane_vectors import vectors
from tests.support.butane_form import translate

SHORT = [vector["butane"] for vector in vectors() if len(vector["butane"]) < 3000]
COUNTS = {"fcos": 8, "flatcar": 2, "r4e": 2, "fiot": 1}
DIALECTS = [dialect_of(variant, f"1.{minor}.0") for variant, count in COUNTS.items() for minor in range(count)]
# Scalars other than plain text.
SCALARS = [
    *(
        "",
        "~",
        "true",
        "yes",
        "off",
        "0",
        "-1",
        "0644",
        "0x1f",
        "420.5",
        ".inf",
        "1e400",
        "-9223372036854775809",
        "'0'",
    ),
    *(
        "2024-01-31",
        "!!int x",
        "!!binary =",
        "&a x",
        "*a",
        "<<",
        "[]",
        "{}",
        "[~]",
        "{a: b}",
        "|",
        "/",
        "/etc",
        "/dev/sda",
    ),
    *(
        "https://a.example/",
        "data:,x",
        "swap",
        "ext4",
        "raid1",
        "x86_64",
        "s390x-eckd",
        "{<<: 1}",
        '"\\ud800"',
        '"\\/"',
    ),
    *("a.service", "x.conf", '"[Install]\\n"', "root", "sha256-" + "0" * 64, '{"ignition": {"version": "3.4.0"}}'),
]
WORDS = st.sampled_from(
    [*SCALARS, "\t", "- ", ": ", "\n", "---\n", "# ", "%YAML 1.1\n", "\ufeff", "\u2028", "\x00", "\x85"]
)


def translated(text: str | bytes) -> None:
    """Translate `text`; the result must be valid for Ignition."""
    try:
        ignition, report = translate(text)
    except ButaneError:
        return
    assert not any(entry.is_error for entry in report)
    version = json.loads(compact(ignition))["ignition"]["version"]
    if "experimental" not in version:
        served = parse_and_translate(compact(ignition).encode())
        raw = text.encode("utf-8", "replace") if isinstance(text, str) else text
        assert served == butane.respond("a", raw).body
        # An upgrade can make a valid config invalid: before 3.3 a link needs no target.
        assert version < "3.4.0" or served == parse_and_translate(served)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A recorded text with parts removed, doubled, or replaced."""
    text = draw(st.sampled_from(SHORT))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        put = draw(st.one_of(WORDS, st.text(max_size=3), st.just(text[start:end] * 2)))
        text = text[:start] + put + text[end:]
    return text


@st.composite
def configs(draw: st.DrawFn) -> str:
    """A config with valid keys and often invalid values."""
    dialect = draw(st.sampled_from(DIALECTS))

    def value(kind: str) -> str:
        if kind.startswith("[") and draw(st.integers(0, 9)):
            return "[" + ", ".join(value(kind[1:-1]) for _ in range(draw(st.integers(0, 2)))) + "]"
        fields = fields_of(kind, dialect)
        if not fields or not draw(st.integers(0, 19)):
            return draw(st.sampled_from(SCALARS))
        chosen = draw(st.lists(st.sampled_from(fields), max_size=4, unique=True))
        return "{" + ", ".join(f"{field.key}: {value(field.kind)}" for field in chosen) + "}"

    lines = [f"variant: {dialect.variant}", f"version: {dialect.version}"]
    fields = [field for field in fields_of("Config", dialect)[2:] if draw(st.booleans())]
    lines += [f"{field.key}: {value(field.kind)}" for field in fields]
    return "\n".join(lines)


@given(mutated())
def test_mutated_texts_are_valid_or_refused(text: str) -> None:
    translated(text)


@given(configs())
def test_strange_values_are_valid_or_refused(text: str) -> None:
    translated(text)


@given(st.one_of(st.binary(), st.text()))
def test_any_text_is_valid_or_refused(text: str | bytes) -> None:
    translated(text)


@pytest.mark.parametrize("text", SHORT)
def test_truncated_texts_are_valid_or_refused(text: str) -> None:
    lines = text.splitlines(keepends=True)
    for count in range(len(lines)):
        translated("".join(lines[:count]))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: &a [x, *a]\nkernel_arguments: {should_exist: *a}\n", "yaml: anchor 'a' value contains itself"),
        ("storage: &a {<<: *a}\n", "yaml: anchor 'a' value contains itself"),
        (
            "a: &a {b: 1}\n"
            + "".join(f"{n}: &{n} {{<<: [*{p}, *{p}]}}\n" for p, n in pairwise("abcdefghijklmnopqrstuvw"))
            + "storage: {<<: *w}\n",
            "yaml: document contains excessive aliasing",
        ),
        ("storage: {<<: x}\n", "yaml: map merge requires map or sequence of maps as the value"),
        ("a: " + "[" * 501 + "\n", "exceeded max depth of 500"),
        (
            "storage: {files: [&f {append: [&r {http_headers: ["
            + "{name: a}, " * 40
            + "]}"
            + ", *r" * 60
            + "]}"
            + ", *f" * 60
            + "]}",
            "yaml: document contains excessive aliasing",
        ),
    ],
)
def test_recursive_aliases_and_deep_lists_are_refused(text: str, reason: str) -> None:
    with pytest.raises(ButaneError) as caught:
        translate(f"variant: fcos\nversion: 1.5.0\n{text}")
    assert reason in caught.value.reason
