import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_matchbox.gotemplate.engine import TemplateError, render
from lambda_matchbox.gotemplate.limits import MAX_ELEMENTS, MAX_INSTRUCTIONS, MAX_OUTPUT, MAX_TEXT
from lambda_matchbox.gotemplate.program import MAX_SOURCE, MAX_TOKENS
from lambda_matchbox.gotemplate.sprig.names import ALLOWED

pytestmark = pytest.mark.slow

TEXT = f"more than {MAX_TEXT} characters of text in functions"
ELEMENTS = f"more than {MAX_ELEMENTS} elements of lists and maps"
WORK = "functions take too many steps"
REGEX = "regular expressions take too many steps"
PRINTED = "the text of lists and maps is too long"
# Lists that contain each other twice, sixty levels deep: their text is endless.
SHARED = "{{$x := list 1}}{{range until 60}}{{$x = list $x $x}}{{end}}"
CYCLE = '{{$x := dict}}{{$_ := set $x "a" $x}}'
BIG = '{{$x := repeat 8000000 "a"}}'


def reason(source: str, **data: object) -> str:
    with pytest.raises(TemplateError) as caught:
        render(source.encode(), data, name="a.txt")
    assert len(str(caught.value).splitlines()) == 1
    assert str(caught.value).startswith("template 'a.txt'")
    return caught.value.reason


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{range until 1000000}}{{range until 1000000}}{{end}}{{end}}", f"until: {ELEMENTS}"),
        ("{{range until 400000}}{{end}}", f"more than {MAX_INSTRUCTIONS} instructions"),
        ("{{range until 300}}{{range until 300}}{{end}}{{end}}", None),
        ("{{until 9223372036854775807}}", f"until: {ELEMENTS}"),
        ("{{untilStep 9223372036854775807 -9223372036854775807 -1}}", f"untilStep: {ELEMENTS}"),
        ("{{seq -9223372036854775807 9223372036854775807}}", f"seq: {ELEMENTS}"),
        ('{{repeat 100000000 "x"}}', f"repeat: {TEXT}"),
        ('{{repeat 9223372036854775807 ""}}', None),
        ('{{indent 100000000 "x"}}', f"indent: {TEXT}"),
        ('{{nindent 1000000 (repeat 1000 "\\n")}}', f"nindent: {TEXT}"),
        ('{{replace "" (repeat 100000 "x") (repeat 100000 "y")}}', f"replace: {TEXT}"),
        ('{{join (repeat 100000 "x") (until 1000)}}', f"join: {TEXT}"),
        ('{{wrapWith 1 (repeat 1000 "x") (repeat 100000 "y")}}', f"wrapWith: {TEXT}"),
        (f"{BIG}{{{{b64enc $x}}}}", f"b64enc: {TEXT}"),
        (f'{BIG}{{{{splitList "" $x}}}}', f"splitList: {ELEMENTS}"),
        (f'{BIG}{{{{split "a" $x}}}}', f"split: {ELEMENTS}"),
        (f"{BIG}{{{{title $x}}}}", f"title: {WORK}"),
        ('{{snakecase (repeat 500000 "aB")}}', f"snakecase: {WORK}"),
        ('{{range until 100}}{{$_ := kebabcase (repeat 5000 "aB")}}{{end}}', f"kebabcase: {WORK}"),
        ('{{snakecase (repeat 50000 "aB")}}{{kebabcase (repeat 50000 "aB")}}', None),
        ("{{$x := list 1 2}}{{range until 60}}{{$x = concat $x $x}}{{end}}", f"concat: {ELEMENTS}"),
        ("{{$x := until 20000}}{{uniq $x}}", f"uniq: {WORK}"),
        ("{{$x := until 20000}}{{range until 20000}}{{$_ := has -1 $x}}{{end}}", f"has: {WORK}"),
        ('{{$x := "9"}}{{range until 100}}{{$x = mul $x $x}}{{end}}{{$x}}', None),
        ("{{mulf " + "1e300 " * 1000 + "}}", "mulf: the number has too many digits"),
        ("{{printf `%100000000d` 1}}", None),
        ('{{fromJson (repeat 100000 "[")}}', "fromJson: the arguments are nested too deeply"),
        ('{{fromJson (repeat 1000000 "1,")}}', f"fromJson: {ELEMENTS}"),
        (f"{SHARED}{{{{$x}}}}", PRINTED),
        pytest.param(f"{SHARED}{{{{print $x}}}}", f"print: {PRINTED}", marks=pytest.mark.nightly),
        pytest.param(f"{SHARED}{{{{$x | quote}}}}", f"quote: {PRINTED}", marks=pytest.mark.nightly),
        (f"{SHARED}{{{{toJson $x}}}}", f"toJson: {WORK}"),
        (f"{SHARED}{{{{deepCopy $x}}}}", f"deepCopy: {ELEMENTS}"),
        (f"{SHARED}{{{{$y := list $x | mustSlice}}}}{{{{deepEqual $x (first $y)}}}}", f"deepEqual: {WORK}"),
        (f"{CYCLE}{{{{$x}}}}", "the printed value is nested too deeply"),
        (f"{CYCLE}{{{{range $x}}}}{{{{.}}}}{{{{end}}}}", "the printed value is nested too deeply"),
        (f"{CYCLE}{{{{toJson $x}}}}", "toJson: the arguments are nested too deeply"),
        (f"{CYCLE}{{{{deepCopy $x}}}}", "deepCopy: the arguments are nested too deeply"),
        (f"{CYCLE}{{{{merge $x $x}}}}", "merge: the arguments are nested too deeply"),
        ('{{range until 100}}{{repeat 100000 "x"}}{{end}}', f"more than {MAX_OUTPUT} characters of output"),
        ("{{.a}}" + "x" * MAX_SOURCE, f"more than {MAX_SOURCE} bytes of a template that has actions"),
        ("{{print" + " 1" * MAX_TOKENS + "}}", f"more than {MAX_TOKENS} tokens"),
        ("{{" + "1" * 5000 + "}}", "a number in it has too many digits"),
    ],
)
def test_an_error_names_the_exceeded_limit(source: str, expected: str | None) -> None:
    if expected is None:
        render(source.encode(), {"a": "b"}, name="a.txt")
    else:
        assert expected == reason(source, a="b")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('{{regexMatch "(a+)+$" (print (repeat 100000 "a") "b")}}', None),
        ('{{regexMatch "(a*)*b" (repeat 100000 "a")}}', None),
        ('{{regexMatch "^(([a-z])+.)+[A-Z]([a-z])+$" (repeat 100000 "a")}}', None),
        ('{{regexReplaceAll "(x+x+)+y" (repeat 20000 "x") "z"}}', None),
        ('{{regexFindAll "a.*b|a" (repeat 100000 "a") -1}}', f"regexFindAll: {REGEX}"),
        ('{{regexReplaceAll "" (repeat 1000000 "a") "b"}}', f"regexReplaceAll: {REGEX}"),
        ('{{regexMatch "[ab]*a[ab]{900}c" (repeat 2000000 "ab")}}', f"regexMatch: {REGEX}"),
        ('{{regexReplaceAll "a" (repeat 5000 "a") (repeat 5000 "b")}}', f"regexReplaceAll: {TEXT}"),
        ('{{regexReplaceAll ".+" (repeat 100000 "a") (repeat 1000 "$0")}}', f"regexReplaceAll: {TEXT}"),
        ('{{regexReplaceAll "a()" (repeat 2000 "a") (repeat 1000 "$1")}}', f"regexReplaceAll: {WORK}"),
        ('{{regexReplaceAll "a" "a" (repeat 1000000 "$1 ")}}', f"regexReplaceAll: {WORK}"),
        (
            '{{regexMatch "((a{100}){100}){100}" "a"}}{{mustRegexMatch "((a{100}){100}){100}" "a"}}',
            "mustRegexMatch: the regular expression does not parse, or is too large",
        ),
        (
            '{{regexMatch (repeat 20000 "a") "a"}}',
            "regexMatch: the regular expression has more than 10000 characters",
        ),
        ('{{semverCompare (print (repeat 200 "1   ") "!") "1.2"}}', "semverCompare: not a version constraint"),
        ('{{semverCompare (repeat 1000 "1 ") "1.2"}}', "semverCompare: the constraint is too long"),
    ],
)
def test_regular_expressions_end(source: str, expected: str | None) -> None:
    """A backtracking engine would never end on these."""
    if expected is None:
        render(source.encode(), {}, name="a.txt")
    else:
        assert expected == reason(source)


CALLS_THAT_ESCAPE = (
    *("js", "html", "urlquery", "regexQuoteMeta", "quote", "toJson"),
    *('printf "%q"', 'printf "% #x"'),
)
LITTLE = 200 * 1024
"""Of memory in KiB: a text of eight million two-byte characters, its escaped pieces, and their sum."""

MEMORY = f"""
import re
from pathlib import Path
from lambda_matchbox.gotemplate.engine import TemplateError, render

def peak():
    return int(re.search("VmHWM:\\\\s+([0-9]+)", Path("/proc/self/status").read_text())[1])

def given(call, text):
    try:
        return render(("{{{{$_ := " + call + " .a}}}}").encode(), {{"a": text}}, name="a.txt").decode()
    except TemplateError as error:
        return error.reason

for call in {CALLS_THAT_ESCAPE!r}:
    given(call, "a")
before = peak()
for call in {CALLS_THAT_ESCAPE!r}:
    print(call, given(call, "\\x01" * 6_000_000), sep="\\t")
    given(call, "a\\u017c&" * 1_000_000)
print(peak() - before)
"""


@pytest.mark.system
@pytest.mark.nightly
def test_escaped_text_is_limited_while_it_is_made() -> None:
    out = subprocess.check_output([sys.executable, "-c", MEMORY.replace("\\\\", "\\")], text=True).splitlines()
    refused = [line.partition("\t")[0] for line in out[:-1] if line.endswith(TEXT)]
    assert [call for call in CALLS_THAT_ESCAPE if call not in ("html", "regexQuoteMeta")] == refused
    assert int(out[-1]) < LITTLE


def test_escaped_text_counts() -> None:
    for call in ("js", "html", "urlquery"):
        source = f'{{{{$x := repeat 2000000 "<"}}}}{{{{range until 3}}}}{{{{$_ := {call} $x}}}}{{{{end}}}}'
        assert f"{call}: {TEXT}" == reason(source)


def test_each_range_over_a_map_counts_its_keys() -> None:
    data = {"map": {str(number): number for number in range(50_000)}}
    assert WORK == reason("{{range 100000}}{{range $.map}}{{break}}{{end}}{{end}}", **data)


def test_lookups_in_a_large_list_are_cheap() -> None:
    source = "{{range until 1000}}{{$_ := last $.list}}{{$_ = first $.list}}{{end}}{{len .list}}"
    assert b"50000" == render(source.encode(), {"list": list(range(50_000))}, name="a.txt")


def test_a_map_that_is_changed_counts_once() -> None:
    source = "{{$d := dict}}{{range $i := until 5000}}{{$_ := set $d (toString $i) $i}}{{end}}{{len $d}}"
    assert b"5000" == render(source.encode(), {}, name="a.txt")


NAMES = sorted(name for functions in ALLOWED.values() for name in functions)
ATOMS = st.sampled_from(
    (
        *('""', '"a,b"', "`x`", "1", "-7", "0", "1.5", "1e300", "nil", "true", ".", ".a", ".b", "$", "$x", "(list 1)"),
        *("9223372036854775807", "999999999", "(dict)", "(until 9)", "1i", "'a'", '"(a+)+$"', "(semver `1.2`)"),
    )
)
CALLS = st.recursive(
    ATOMS,
    lambda inner: st.builds(
        lambda name, arguments: f"({' '.join([name, *arguments])})",
        st.sampled_from([*NAMES, "print", "printf", "index", "slice", "len", "eq", "and", "html", "call"]),
        st.lists(inner, max_size=4),
    ),
    max_leaves=8,
)
ACTIONS = st.one_of(
    CALLS.map(lambda call: f"{{{{{call}}}}}"),
    CALLS.map(lambda call: f"{{{{$x = {call}}}}}"),
    CALLS.map(lambda call: f"{{{{range {call}}}}}{{{{.}}}}{{{{else}}}}-{{{{end}}}}"),
    CALLS.map(lambda call: f"{{{{with {call}}}}}{{{{.}}}}{{{{end}}}}"),
    CALLS.map(lambda call: f"{{{{if {call}}}}}{{{{$x}}}}{{{{end}}}}"),
    st.builds(lambda left, right: f"{{{{{left} | {right[1:-1]}}}}}", CALLS, CALLS.filter(lambda one: one[0] == "(")),
    st.text(alphabet="{}$.|()\"'`-= \n%az09:nilrangeif\u017c", max_size=20),
)
DATA = st.dictionaries(
    st.sampled_from(["a", "b"]),
    st.recursive(
        st.none()
        | st.booleans()
        | st.floats()
        | st.integers()
        | st.text()
        | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape")),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=5,
    ),
)


@settings(deadline=None)
@given(st.lists(ACTIONS, max_size=5), DATA)
def test_any_template_renders_or_is_a_template_error(actions: list[str], data: dict[str, object]) -> None:
    source = "{{$x := .}}" + "".join(actions)
    said = ""
    try:
        render(source.encode(), data, name="a.txt")
    except TemplateError as error:
        said = str(error)
    assert len(said.splitlines()) <= 1


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_in_an_action_render_or_are_a_template_error(source: bytes) -> None:
    said = ""
    try:
        render(b"{{" + source + b"}}", {}, name="a.txt")
    except TemplateError as error:
        said = str(error)
    assert len(said.splitlines()) <= 1
