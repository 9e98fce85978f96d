import base64
import json
import subprocess
import sys

import pytest
from gotpl.funcs.sprig import text_func_map
from hypothesis import example, given
from hypothesis import strategies as st

from lambda_matchbox.golang.values import StringMap
from lambda_matchbox.gotemplate.engine import TemplateError, render
from lambda_matchbox.gotemplate.sprig.names import ALLOWED, LEFT_OUT
from tests.unit.gotemplate.rendered_recordings import CONFORMANCE

RECORDED = json.loads((CONFORMANCE / "templates" / "sprig.json").read_text())
ALLOWED_NAMES = sorted(name for functions in ALLOWED.values() for name in functions)
LEFT_OUT_NAMES = sorted(name for names in LEFT_OUT.values() for name in names)
# Sprig's `slice` is left out in favour of Go's.
ABSENT_NAMES = [name for name in LEFT_OUT_NAMES if name != "slice"]
GO_TYPES = {
    "any": "interface {}",
    "map": "map[string]interface {}",
    "time": "time.Time",
}


def rendered(source: str, **data: object) -> str:
    return render(source.encode(), data, name="a.txt").decode()


def refusal(source: str, **data: object) -> str:
    with pytest.raises(TemplateError) as caught:
        rendered(source, **data)
    return str(caught.value)


def decoded(text: dict[str, str]) -> bytes:
    return base64.b64decode(text["base64"]) if "base64" in text else text["text"].encode()


@pytest.mark.slow
def test_results_are_sprigs() -> None:
    """Thousands of recorded calls, with the text, the type and the JSON of their results."""
    query = {
        key: base64.b64decode(value).decode("utf-8", "surrogateescape") for key, value in RECORDED["query"].items()
    }
    data = {**RECORDED["metadata"], "request": {"query": StringMap(query), "raw_query": "a=b"}}
    for record in RECORDED["answers"]:
        expected = None if record["answer"] is None else decoded(record["answer"])
        try:
            body = render(record["template"].encode(), data, name="a.txt")
        except TemplateError:
            body = None
        assert (record["template"], expected) == (record["template"], body)


def test_each_function_has_eight_recorded_calls() -> None:
    calls = {name: [0, 0] for name in ALLOWED_NAMES}
    for record in RECORDED["answers"]:
        for name in set(record["template"].replace("(", " ").replace("{", " ").replace("|", " ").split()) & set(calls):
            calls[name][0] += 1
            calls[name][1] += record["answer"] is not None
    assert {} == {
        name: count
        for name, count in calls.items()
        if name != "hello" and (count[0] < 8 or (not count[1] and name != "fail"))
    }


def test_every_function_is_either_allowed_or_left_out() -> None:
    assert [] == sorted(set(ALLOWED_NAMES) & set(LEFT_OUT_NAMES))
    assert sorted(RECORDED["signatures"]) == sorted([*ALLOWED_NAMES, *LEFT_OUT_NAMES])
    assert set() == set(text_func_map()) - {*ALLOWED_NAMES, *LEFT_OUT_NAMES}


def test_parameters_are_those_of_sprig() -> None:
    def in_go(signature: str) -> str:
        words = [
            f"...{GO_TYPES.get(word[3:], word[3:])}" if word.startswith("...") else GO_TYPES.get(word, word)
            for word in signature.split()
        ]
        return f"func({', '.join(words)})"

    for functions in ALLOWED.values():
        for name, signature in functions.items():
            real = RECORDED["signatures"][name]
            assert (name, in_go(signature)) == (name, real[: real.rindex(")", 0, real.find(") ") + 1) + 1])


FAR = '{{$x := mustToDate "2006" "0001"}}{{range until 9}}{{$x = mustDateModify "-2562047h" $x}}{{end}}'


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (FAR + "{{$x}}", "the time is outside the years 0 to 9599"),
        (FAR + "{{print $x}}", "print: the time is outside the years 0 to 9599"),
        (FAR + "{{list $x}}", "the time is outside the years 0 to 9599"),
        (FAR + "{{toString $x}}", "toString: the time is outside the years 0 to 9599"),
        (FAR + "{{toJson $x}}", "toJson: the time is outside the years 0 to 9599"),
        (FAR + '{{date "2006" $x}}', "date: the time is outside the years 0 to 9599"),
        ("{{htmlDate 999999999999999999}}", "htmlDate: the time is outside the years 0 to 9599"),
        ('{{mustToDate "2006 002" "9999 366"}}', "mustToDate: the date is out of range"),
        ('{{mustToDate "2006 002" "9599 366"}}', "mustToDate: the date is out of range"),
        ('{{mustToDate "January" "Augu\u017ft"}}', "mustToDate: the time does not match the layout"),
        ('{{mustDateModify "x" (toDate "2006" "2020")}}', "mustDateModify: invalid duration"),
        ('{{mustDateModify "99999999h" (toDate "2006" "2020")}}', "mustDateModify: the duration is too long"),
    ],
)
def test_invalid_times_are_errors_of_their_function(source: str, expected: str) -> None:
    assert f"template 'a.txt', line 1: {expected}" == refusal(source)


@pytest.mark.parametrize("name", ABSENT_NAMES)
def test_a_left_out_function_is_an_error_with_the_reason(name: str) -> None:
    why = next(reason for reason, names in LEFT_OUT.items() if name in names)
    assert f"template 'a.txt', line 2: there is no function {name} (Sprig's is left out: {why})" == refusal(
        f'{{{{if false}}}}\n{{{{{name} "a"}}}}{{{{end}}}}'
    )


def test_gos_functions_keep_their_names() -> None:
    assert rendered('{{slice "abcd" 1 3}}{{len "ab"}}{{index (list 1 2) 1}}') == "bc22"


@pytest.mark.parametrize(
    "source",
    [
        "{{fail .a}}",
        "{{atoi 3}}{{.a}}",
        "{{mustToDate `2006` .a}}",
        "{{mustRegexMatch (print .a `[`) .a}}",
        "{{mustFromJson .a}}",
        "{{semver .a}}",
        "{{semverCompare .a .a}}",
        "{{urlParse (print `:` .a)}}",
        "{{dig .a 1 .a}}",
        "{{until .a}}",
        "{{urlJoin (dict `host` (list .a))}}",
        "{{mustSlice (list .a) 5}}",
        "{{get .a .a}}",
        "{{repeat -1 .a}}",
        "{{(semver `1.2.3`).hunter2}}",
    ],
)
def test_errors_quote_no_argument(source: str) -> None:
    message = refusal(source, a="hunter2 %zz")
    assert "hunter2 %zz" not in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{until .n}}", "until: int required, not float64"),
        ("{{trim .n}}", "trim: string required, not float64"),
        ("{{trim nil}}", "trim: string required, not <nil>"),
        ('{{hasKey .n "a"}}', "hasKey: map[string]interface {} required, not float64"),
        ("{{trim}}", "trim: 1 argument required, 0 given"),
        ("{{max}}", "max: at least 1 argument required, 0 given"),
        ('{{date "2006" "x"}}', "date: a time or integer seconds are required: there is no clock"),
        ('{{fail "no hostname"}}', "fail: the template calls fail"),
    ],
)
def test_an_error_names_the_function_and_the_reason(source: str, reason: str) -> None:
    assert refusal(source, n=1) == f"template 'a.txt', line 1: {reason}"


def test_set_and_merge_do_not_change_the_callers_data() -> None:
    data = {"map": {"a": 1}}
    assert rendered('{{$_ := set .map "b" 2}}{{$_ := merge .map (dict "c" 3)}}{{.map}}', **data) == "map[a:1 b:2 c:3]"
    assert data == {"map": {"a": 1}}


@given(st.binary())
def test_encodings_are_reversible(raw: bytes) -> None:
    value = raw.decode("utf-8", "surrogateescape")
    source = "{{.a | b64enc | b64dec | b32enc | b32dec}}"
    assert raw == render(source.encode(), {"a": value}, name="a.txt")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
@example({"\U0010fe80": "\U0010feff"})
def test_written_json_is_read_back(value: object) -> None:
    for name in ("toJson", "toPrettyJson", "toRawJson"):
        assert value == json.loads(rendered("{{.a | " + name + "}}", a=value), parse_int=float)
    assert rendered("{{.a | toJson | fromJson | toJson}}", a=value) == rendered("{{.a | toJson}}", a=value)


def test_characters_of_the_private_block_are_kept() -> None:
    assert "A\U0010feff\ufffd" == rendered("{{.a | upper}}", a="a\U0010feff\udcf4")
    assert '"\U0010fe80\\ufffd\\ufffd"' == rendered("{{.a | toJson}}", a="\U0010fe80\udcf4\udc8f")


@pytest.mark.system
def test_modules_of_sprig_load_when_they_are_called() -> None:
    program = (
        "import sys; from lambda_matchbox.gotemplate.engine import render;"
        "said = lambda: print(*sorted(name for name in sys.modules if name == 're2' or '.sprig.' in name));"
        "render(b'{{print .a}}', {'a': 'b'}, name='a'); said();"
        "render(b'{{.a | b64enc}}', {'a': 'b'}, name='a'); said();"
        "render(b'{{regexMatch .a .a}}', {'a': 'b'}, name='a'); print('re2' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines() == [
        " ".join(f"lambda_matchbox.gotemplate.sprig.{name}" for name in ("calls", "names")),
        " ".join(f"lambda_matchbox.gotemplate.sprig.{name}" for name in ("calls", "encodings", "names")),
        "True",
    ]


@pytest.mark.system
def test_without_re2_other_functions_work() -> None:
    program = (
        "import sys; sys.modules['re2'] = None\n"
        "from lambda_matchbox.gotemplate.engine import TemplateError, render\n"
        "print(render(b'{{upper .a}}', {'a': 'b'}, name='a'))\n"
        "try: render(b'{{regexMatch .a .a}}', {'a': 'b'}, name='a')\n"
        "except TemplateError as error: print(error)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    rendered, error = result.stdout.splitlines()
    assert rendered == "b'B'"
    assert error.startswith("template 'a', line 1: regexMatch: this server lacks a library: import of re2")
