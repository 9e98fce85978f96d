import base64
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.golang.values import StringMap
from lambda_matchbox.gotemplate import rendering
from lambda_matchbox.gotemplate.engine import TemplateError, render
from lambda_matchbox.gotemplate.fields import render_fields
from tests.unit.gotemplate.rendered_recordings import CONFORMANCE, Recording, recordings

GENERIC = list(recordings("rendering", "generic"))
TEXT_TEMPLATE = json.loads((CONFORMANCE / "templates" / "answers.json").read_text())


def rendered(source: str | bytes, **data: object) -> bytes:
    return render(source.encode() if isinstance(source, str) else source, data, name="a.txt")


def refusal(source: str, **data: object) -> str:
    with pytest.raises(TemplateError) as caught:
        rendered(source, **data)
    return str(caught.value)


@pytest.mark.parametrize("recording", GENERIC, ids=lambda recording: recording.template_id)
def test_recorded_templates_render_the_same(recording: Recording) -> None:
    try:
        body = render(recording.source, recording.data, name=recording.template_id)
    except TemplateError:
        body = None
    assert recording.response == body


def test_forty_templates_are_recorded() -> None:
    assert len(GENERIC) == 40


@pytest.mark.slow
def test_templates_render_as_in_go() -> None:
    def decoded(text: dict[str, str]) -> bytes:
        return base64.b64decode(text["base64"]) if "base64" in text else text["text"].encode()

    query = {
        key: base64.b64decode(value).decode("utf-8", "surrogateescape") for key, value in TEXT_TEMPLATE["query"].items()
    }
    request = {"query": StringMap(query), "raw_query": TEXT_TEMPLATE["raw_query"]}
    data = {**TEXT_TEMPLATE["metadata"], "request": request}
    for record in TEXT_TEMPLATE["answers"]:
        source = decoded(record["template"])
        expected = None if record["answer"] is None else decoded(record["answer"])
        try:
            body = render(source, data, name="a.txt")
        except TemplateError:
            body = None
        assert (source, expected) == (source, body)


@given(st.binary())
def test_bytes_outside_actions_are_kept(raw: bytes) -> None:
    before, after = raw.replace(b"{", b"("), raw.replace(b"{", b")")
    assert before + b"x" + after == rendered(before + b"{{.a}}" + after, a="x")


@given(st.binary())
def test_bytes_of_a_value_are_kept(raw: bytes) -> None:
    value = raw.decode("utf-8", "surrogateescape")
    assert raw + b" %d" % len(raw) == rendered("{{.a}} {{len .a}}", a=value)


def test_numbers_of_the_data_are_float64() -> None:
    assert rendered('{{.a}} {{printf "%T" .a}}', a=1_000_000) == b"1e+06 float64"


def test_a_missing_key_of_a_string_map_is_empty() -> None:
    assert rendered('[{{index .labels "no"}}]', labels=StringMap({"yes": "1"})) == b"[]"


def test_a_template_reaches_no_method_of_the_data() -> None:
    data = {"list": ["a"]}
    assert refusal("{{.list.clear}}", **data) == "template 'a.txt', line 1: there is no clear: the value is not a map"
    assert data == {"list": ["a"]}


def test_an_error_names_template_line_and_key() -> None:
    assert refusal("a\nb\n{{.name}}\n") == "template 'a.txt', line 3: there is no value for name"


def test_a_syntax_error_names_its_line() -> None:
    assert refusal("a\n{{toUpper .a}}", a="x") == "template 'a.txt', line 2: there is no function toUpper"


@pytest.mark.parametrize(
    "source",
    [
        "{{.a.b}}",
        "{{index .a 99}}",
        "{{lt .a 1}}",
        "{{range .a}}{{end}}",
        "{{range $i, $j := (len .a)}}{{end}}",
        "{{slice .a 2 1}}",
        "{{.a | .b}}",
        '{{template "x" .a}}',
        '{{"hunter2" "x"}}',
        '{{eq "hunter2" 1}}',
        '{{if "hunter2}}',
        "{{`hunter2` `x`}}",
        "{{'hunter2'}}",
        "{{0hunter2}}",
        '{{define "a\\nb"}}1{{end}}{{define "a\\nb"}}2{{end}}',
    ],
)
def test_errors_quote_neither_data_nor_literals(source: str) -> None:
    message = refusal(source, a="hunter2", b=1)
    assert "hunter2" not in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    "source",
    [
        "{{nil}}",
        "{{if nil}}{{end}}",
        "{{$x := nil}}",
        "{{nil | print}}",
        "{{(nil)}}",
        '{{template "x" nil}}{{define "x"}}{{end}}',
    ],
)
def test_nil_is_not_a_command(source: str) -> None:
    assert refusal(source) == "template 'a.txt', line 1: nil is not a command"


def test_nil_may_be_an_argument() -> None:
    assert (
        rendered('{{print nil}} {{"nil"}}{{/* nil */}} {{if false}}{{nil}}{{end}}{{eq nil nil}}') == b"<nil> nil true"
    )


TOO_LONG = "more than 300000 instructions"
DOUBLING = "".join(
    f'{{{{define "t{i}"}}}}{{{{template "t{i + 1}"}}}}{{{{template "t{i + 1}"}}}}{{{{end}}}}' for i in range(40)
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{range 1000000000}}{{end}}", TOO_LONG),
        ("{{range 100000}}{{range 100000}}{{end}}{{end}}", TOO_LONG),
        (DOUBLING + '{{define "t40"}}{{end}}{{template "t0"}}', TOO_LONG),
        ('{{define "a"}}{{template "a"}}{{end}}{{template "a"}}', "exceeded maximum template depth (100000)"),
        ("{{range 100000}}{{print .}}{{end}}", "print: more than 50000 calls of functions"),
        ("{{range 100000}}" + "a" * 1000 + "{{end}}", "more than 8388608 characters of output"),
        (
            '{{$x := "0123456789"}}{{range 100}}{{$x = print $x $x}}{{end}}',
            "print: more than 16777216 characters of text in functions",
        ),
        (
            '{{$x := printf "%999999d" 1}}{{printf "' + "%[1]s" * 1000 + '" $x}}',
            "printf: more than 16777216 characters of text in functions",
        ),
        (
            '{{$x := printf "%9999999d" 1}}{{range 1000}}{{$y := slice $x 1}}{{end}}',
            "slice: more than 16777216 characters of text in functions",
        ),
        ("{{if true}}" * 101 + "{{end}}" * 101, "template nesting limit exceeded"),
    ],
)
def test_endless_templates_are_errors(source: str, reason: str) -> None:
    with pytest.raises(TemplateError) as caught:
        rendered(source)
    assert reason == caught.value.reason


def test_deeply_nested_data_is_an_error() -> None:
    deep: dict[str, object] = {}
    for _ in range(5000):
        deep = {"a": deep}
    assert refusal("{{.a}}", **deep) == "template 'a.txt': the template or its data are nested too deeply"


def test_a_number_beyond_float64_is_an_error() -> None:
    assert refusal("{{.a}}", a=10**400) == "template 'a.txt': a number of the data is too large for a float64"


NAMES = ("a", "nil", "true", "end", "Query", "_x1")
VALUES = st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape")) | st.none() | st.floats()
DATA = st.dictionaries(
    st.sampled_from(NAMES),
    VALUES | st.dictionaries(st.sampled_from(NAMES), VALUES | st.lists(VALUES, max_size=2), max_size=3),
)
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(lambda names: "." + ".".join(names))
PIECES = (
    st.tuples(PATHS, st.sampled_from((" ", "", "\t"))).map(lambda field: f"{{{{{field[1]}{field[0]} }}}}".encode())
    | st.binary(max_size=4)
    | st.sampled_from(
        (b"{", b"{{.}}", b"{{- .a}}", b"{{.a -}}", b"{{/* .a */}}", b"{{.a | print}}", b"}}", b"{{ . a}}")
    )
)


@given(st.lists(PIECES, max_size=5).map(b"".join), DATA)
def test_fields_render_as_by_the_engine(source: bytes, data: dict[str, object]) -> None:
    body = render_fields(source, data)
    if body is not None:
        assert body == rendering.render(source, data, "a.txt", {})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (b"{{.a}} {{ .b.c }}", b"x y"),
        (b"{{.b}}", None),
        (b"{{.b.c.d}}", None),
        (b"{{.none}}", None),
        (b"{{.a | print}}", None),
        (b"{{{.a}}", None),
        (b"{{.a}}{", b"x{"),
        (b"{{.a}}" * 1_100_000, None),
    ],
)
def test_fields_are_rendered_if_all_are_strings(source: bytes, expected: bytes | None) -> None:
    assert render_fields(source, {"a": "x", "b": StringMap({"c": "y"})}) == expected


@pytest.mark.system
@pytest.mark.parametrize("source", ["a", "{{.a}}"])
def test_a_template_of_text_and_fields_does_not_load_gotpl(source: str) -> None:
    program = (
        f"import sys; from lambda_matchbox.gotemplate.engine import render; render(b'{source}', dict(a='x'), name='a');"
        "print('gotpl' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"
