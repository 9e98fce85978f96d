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
# Sprig's `slice` is left out, and there is Go's.
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


def test_sprig_as_recorded() -> None:
    """Thousands of calls of Sprig's functions give the text, the type and the JSON that real Sprig gives, or fail."""
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


def test_each_function_is_recorded() -> None:
    """Of each allowed function at least eight calls are recorded, and one of them has an answer."""
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


def test_every_function_is_decided() -> None:
    """Each function of Sprig, the real one and gotpl's, is either allowed or left out, and none is both."""
    assert [] == sorted(set(ALLOWED_NAMES) & set(LEFT_OUT_NAMES))
    assert sorted(RECORDED["signatures"]) == sorted([*ALLOWED_NAMES, *LEFT_OUT_NAMES])
    assert set() == set(text_func_map()) - {*ALLOWED_NAMES, *LEFT_OUT_NAMES}


def test_parameters_are_those_of_sprig() -> None:
    """The types of the parameters are those of the functions in Go."""

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
def test_times_out_of_range(source: str, expected: str) -> None:
    """A time that cannot be read, counted with or written is an error of the function that was asked for it."""
    assert f"template 'a.txt', line 1: {expected}" == refusal(source)


@pytest.mark.parametrize("name", ABSENT_NAMES)
def test_left_out_functions_are_named(name: str) -> None:
    """A template that calls a function which is left out does not parse, and the error names it and says why."""
    why = next(reason for reason, names in LEFT_OUT.items() if name in names)
    assert f"template 'a.txt', line 2: there is no function {name} (Sprig's is left out: {why})" == refusal(
        f'{{{{if false}}}}\n{{{{{name} "a"}}}}{{{{end}}}}'
    )


def test_functions_of_go_keep_their_names() -> None:
    """Where Go and Sprig have a function of one name, it is Go's."""
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
def test_errors_keep_secrets(source: str) -> None:
    """No error of a function shows a value that it was given."""
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
def test_reasons(source: str, reason: str) -> None:
    """An error says which function, and what it wants."""
    assert refusal(source, n=1) == f"template 'a.txt', line 1: {reason}"


def test_data_of_the_caller_are_not_changed() -> None:
    """`set` and `merge` change what the template sees, not the group."""
    data = {"map": {"a": 1}}
    assert rendered('{{$_ := set .map "b" 2}}{{$_ := merge .map (dict "c" 3)}}{{.map}}', **data) == "map[a:1 b:2 c:3]"
    assert data == {"map": {"a": 1}}


@given(st.binary())
def test_encodings_give_bytes_back(raw: bytes) -> None:
    """What is encoded and decoded is the same bytes, UTF-8 or not."""
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
def test_json_is_read_by_others(value: object) -> None:
    """What toJson writes is JSON of the same value, and fromJson reads it."""
    for name in ("toJson", "toPrettyJson", "toRawJson"):
        assert value == json.loads(rendered("{{.a | " + name + "}}", a=value), parse_int=float)
    assert rendered("{{.a | toJson | fromJson | toJson}}", a=value) == rendered("{{.a | toJson}}", a=value)


def test_letters_of_the_block_of_stand_ins() -> None:
    """A letter of the block that stands for stray bytes inside is itself; a stray byte is U+FFFD."""
    assert "A\U0010feff\ufffd" == rendered("{{.a | upper}}", a="a\U0010feff\udcf4")
    assert '"\U0010fe80\\ufffd\\ufffd"' == rendered("{{.a | toJson}}", a="\U0010fe80\udcf4\udc8f")


def test_only_templates_that_call_sprig_load_it() -> None:
    """A template without a function of Sprig loads none of them, and RE2 waits for a regular expression."""
    program = (
        "import sys; from lambda_matchbox.gotemplate.engine import render;"
        "said = lambda: print(*sorted(name for name in sys.modules if name == 're2' or '.sprig.' in name));"
        "render(b'{{.a}}', {'a': 'b'}, name='a'); said();"
        "render(b'{{.a | b64enc}}', {'a': 'b'}, name='a'); said();"
        "render(b'{{regexMatch .a .a}}', {'a': 'b'}, name='a'); print('re2' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines() == [
        " ".join(f"lambda_matchbox.gotemplate.sprig.{name}" for name in ("calls", "names")),
        " ".join(f"lambda_matchbox.gotemplate.sprig.{name}" for name in ("calls", "encodings", "names")),
        "True",
    ]


def test_a_library_that_cannot_be_loaded() -> None:
    """Without RE2 a template that has no regular expression renders, and one that has is told what is missing."""
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
