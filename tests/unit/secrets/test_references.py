"""Names of secrets, and the secrets that templates name."""

import pytest

from lambda_matchbox.secrets.references import InvalidNameError, SecretReference, check_name, references_in


@pytest.mark.parametrize("name", ["a", "talos/prod/token", "a_b-c.d/0", "_a", "a" * 512, "sm:prod/Join+1=@x"])
def test_a_name_has_parts_of_letters_digits_and_signs(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/a",
        "a/",
        "a//b",
        "..",
        "a/../b",
        ".hidden",
        "-f",
        "a b",
        "é",
        "a\n",
        "a" * 513,
        "a/" * 12 + "a",
        "sm:",
        "s:a",
    ],
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidNameError):
        check_name(name)


def test_a_template_names_secrets_in_every_place_where_a_call_may_stand() -> None:
    source = b"""{{secret "a"}}{{ secret "b" "k.x" }}{{secret `c` .key}}{{define "t"}}{{secret "d" | indent 2}}{{end}}
    {{if secret "e"}}{{end}}{{range $x := secret "f"}}{{end}}{{with (print (secret "g"))}}{{end}}
    {{template "t" (secret "h")}}{{"k" | secret "i"}}{{/* secret "no" */}} secret "no" """
    names = {SecretReference(name) for name in "acdefghi"}
    assert references_in(source) == names | {SecretReference("b", "k.x")}


@pytest.mark.parametrize("source", [b"", b'secret "a"', b"{{.secret}}", b'{{secret "a"', b"{{secret .name}}"])
def test_other_templates_name_none(source: bytes) -> None:
    assert references_in(source) == frozenset()
