"""The function `secret` of templates."""

import pytest

from lambda_matchbox.gotemplate.engine import TemplateError, check_syntax, render
from lambda_matchbox.secrets.function import PLACEHOLDER, MadeFunction, placeholders, refused, stored_in
from tests.support.memory_secrets import MemorySecrets

VALUES = {
    "token": "s3cr3t",
    "talos/ca": '{"crt": "Q1JU", "keys": [{"id": 7}]}',
    "empty": "",
    "text": "ä\u2028\n",
    "sm:join": "j01n",
    "upper": "KEY",
}


def rendered(source: str, function: MadeFunction | None = None, **data: object) -> str:
    functions = {"secret": function or stored_in(MemorySecrets(VALUES))}
    return render(source.encode(), data, name="a", functions=functions).decode()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('{{secret "token"}}', "s3cr3t"),
        ("{{ secret `token` | b64enc }}", "czNjcjN0"),
        ('{{secret "talos/ca" "crt"}} {{secret "talos/ca" "keys.0.id"}}', "Q1JU 7"),
        ('{{secret "talos/ca" .key}}{{.key | secret "talos/ca"}}', "Q1JUQ1JU"),
        ('{{secret "text"}}', "ä\u2028\n"),
        ('{{secret "empty"}}', ""),
        ('{{secret "sm:join"}}', "j01n"),
        ('{{if .other}}{{secret "absent"}}{{end}}', ""),
        ('{{range .two}}{{secret "token"}}{{end}}', "s3cr3ts3cr3t"),
        ('{{$ca := fromJson (secret "talos/ca")}}{{$ca.crt}}', "Q1JU"),
    ],
)
def test_a_template_gets_the_values_of_secrets(source: str, expected: str) -> None:
    assert rendered(source, key="crt", other=False, two=[1, 2]) == expected


def test_a_store_is_asked_once_for_all_the_secrets_of_a_template() -> None:
    store = MemorySecrets(VALUES)
    source = '{{secret "token"}}{{secret "talos/ca" "crt"}}{{if .x}}{{secret "absent"}}{{end}}{{secret "token"}}'
    rendered(source, stored_in(store), x="")
    assert store.calls == [["absent", "talos/ca", "token"]]


def test_a_template_without_secrets_asks_no_store() -> None:
    store = MemorySecrets(VALUES)
    assert rendered("{{.a}}{{if .a}}!{{end}}", stored_in(store), a="b") == "b!"
    assert store.calls == []


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ('\n{{secret "absent"}}', "template 'a', line 2: secret: there is no secret 'absent'"),
        ('{{secret "talos/ca" "key"}}', "template 'a', line 1: secret: secret 'talos/ca': it has no such key"),
        (
            '{{secret "token" "x"}}',
            "template 'a', line 1: secret: secret 'token': it has no such key",
        ),
        (
            '{{secret "talos/ca" "keys"}}',
            "template 'a', line 1: secret: secret 'talos/ca': what it has under the key is no text, number or boolean",
        ),
        ("ä\n{{secret .name}}", "template 'a', line 2: the first argument of secret must be a string literal"),
        ("{{secret}}", "template 'a', line 1: the first argument of secret must be a string literal"),
        ('{{"token" | secret}}', "template 'a', line 1: the first argument of secret must be a string literal"),
        ("{{print secret}}", "template 'a', line 1: the first argument of secret must be a string literal"),
        ('{{secret (print "token")}}', "template 'a', line 1: the first argument of secret must be a string literal"),
        ('{{secret "token" "a" "b"}}', "template 'a', line 1: secret: a name and a key at most are required"),
        (
            '{{secret "token" 1}}',
            "template 'a', line 1: secret: the name and the key must be strings that are not empty",
        ),
        (
            '{{secret "token" ""}}',
            "template 'a', line 1: secret: the name and the key must be strings that are not empty",
        ),
    ],
)
def test_an_error_says_where_and_why(source: str, reason: str) -> None:
    with pytest.raises(TemplateError) as caught:
        rendered(source, name="token")
    assert str(caught.value) == reason


def test_an_invalid_name_is_refused_before_a_store_is_asked() -> None:
    store = MemorySecrets(VALUES)
    with pytest.raises(TemplateError, match=r"'\.\./token' is not the name of a secret"):
        rendered('{{secret "../token"}}', stored_in(store))
    assert store.calls == []


def test_without_a_checked_token_a_template_with_secrets_does_not_render() -> None:
    with pytest.raises(TemplateError, match="template 'a': token: secrets are given only to machines of groups whose"):
        rendered('{{if .x}}{{secret "token"}}{{end}}', refused, x="")
    assert rendered("{{if .x}}x{{end}}", refused, x="") == ""


def test_placeholders_stand_for_values() -> None:
    assert rendered('{{secret "absent" "a.b"}}', placeholders) == PLACEHOLDER


def test_the_syntax_of_a_template_with_secrets_is_checked() -> None:
    check_syntax(b'{{secret "a"}}', name="a", functions=("secret",))
    with pytest.raises(TemplateError, match="must be a string literal"):
        check_syntax(b"{{secret .a}}", name="a", functions=("secret",))
    with pytest.raises(TemplateError, match="no function secret"):
        check_syntax(b'{{secret "a"}}', name="a")
