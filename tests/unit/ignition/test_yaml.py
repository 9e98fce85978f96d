import pytest

from lambda_matchbox.ignition.yaml import YamlDocument, YamlError, documents


def test_documents_have_keys_and_lines() -> None:
    text = b"# c\na: {x: 1}\nb: [y]\n---\n- a\n---\n~\n---\n''\n"
    assert [
        YamlDocument(frozenset({"a", "b"}), is_null=False, line=2),
        YamlDocument(None, is_null=False, line=5),
        YamlDocument(None, is_null=True, line=7),
        YamlDocument(None, is_null=False, line=9),
    ] == documents(text)


def test_the_rest_behind_the_first_document_is_not_read() -> None:
    assert [YamlDocument(frozenset({"a"}), is_null=False, line=1)] == documents(b"a: 1\n---\n[", first_only=True)


def test_only_keys_of_the_top_level_count() -> None:
    [document] = documents(b"? [x]\n: y\na: {b: c}\n&k d: *k\n")
    assert frozenset({"a", "d"}) == document.keys


def test_aliases_are_not_followed() -> None:
    laughs = b"a0: &a0 [x]\n" + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (i, i, i - 1, i - 1) for i in range(1, 100))
    assert len(documents(laughs)) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        (b"a: 1\nb: *x\n", "unknown alias", 2),
        (b"a: &x 1\n---\nb: *x\n", "unknown alias", 3),
        (b"\n" + b"[" * 100_000, "nested too deeply", 2),
        (b"a:\n  [" + b"x," * 600_000 + b"]\n", "too many values", 2),
        (b"--- a\n" * 200_000, "too many values", 166_667),
        (b"a: b: c\n", "mapping values are not allowed in this context", 1),
        (b"a: !hunter2!x y\n", "found undefined tag handle", 1),
        (b"a: \xff\n", "a character is not UTF-8 or not allowed in YAML", None),
    ],
)
def test_errors_have_the_line_and_no_text(text: bytes, reason: str, line: int | None) -> None:
    with pytest.raises(YamlError) as caught:
        documents(text)
    assert (reason, line) == (caught.value.reason, caught.value.line)
