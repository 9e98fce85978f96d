"""Values under keys of documents."""

import pytest

from lambda_matchbox.secrets.documents import NoValueError, parse_document, value_at

YAML = """
certs: {etcd: {crt: abc, key: "x: y"}, tls.crt: dotted}
n: 0042
yes: on
block: |
  one
  two
nodes:
  - name: first
  - name: second
none:
anchor: &a value
alias: *a
"""


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("certs.etcd.crt", "abc"),
        ("certs.etcd.key", "x: y"),
        ("certs.tls.crt", "dotted"),
        ("n", "0042"),
        ("yes", "on"),
        ("block", "one\ntwo\n"),
        ("nodes.1.name", "second"),
        ("alias", "value"),
    ],
)
def test_a_value_of_yaml_is_given_as_it_is_written(key: str, value: str) -> None:
    assert value_at(parse_document(YAML), key) == value


@pytest.mark.parametrize(
    ("key", "value"), [("a.b", "t\n\u00e9/"), ("n", "1.50"), ("t", "true"), ("l.0", "x"), ("d.e", "whole")]
)
def test_a_value_of_json_is_given_as_it_is_written(key: str, value: str) -> None:
    document = parse_document(
        '{"a":\t{"b": "t\\n\\u00e9\\/"}, "n": 1.50, "t": true, "l": ["x"], "d": {"x": 1}, "d.e": "whole"}'
    )
    assert value_at(document, key) == value


@pytest.mark.parametrize(
    "key", ["certs", "none", "absent", "certs.absent", "nodes.2.name", "nodes.x", "n.x", "", ".", "é"]
)
def test_what_is_no_single_value_is_refused(key: str) -> None:
    with pytest.raises(NoValueError):
        value_at(parse_document(YAML), key)


@pytest.mark.parametrize(
    "text", ["", "plain text", "- a\n- b\n", "a: {b", "a: *unknown", "\x01", "!x " * 3, "[" * 5000, "a: \ud800: b"]
)
def test_what_is_no_document_with_the_key_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(NoValueError) as caught:
        value_at(parse_document(text), "a")
    assert "plain" not in str(caught.value)


@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a":', "}")])
def test_what_is_nested_too_deeply_is_refused(opened: str, closed: str) -> None:
    with pytest.raises(NoValueError):
        parse_document(opened * 60_000 + "1" + closed * 60_000)


def test_key_of_more_than_100_parts_is_refused_as_a_machine_may_choose_it() -> None:
    def below(depth: int) -> str:
        return value_at(parse_document("[" * depth + "1" + "]" * depth), ".".join("0" * depth))

    assert below(100) == "1"
    with pytest.raises(NoValueError):
        below(101)
