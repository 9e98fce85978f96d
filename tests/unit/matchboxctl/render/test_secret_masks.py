import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchboxctl.render.secret_masks import MASK, Masks, names_a_secret


@pytest.mark.parametrize(
    "key",
    [
        *("password", "Passwd", "rootPassword", "password_hash", "secret", "clientSecret", "token", "joinToken"),
        *("key", "apikey", "api_key", "ssh-keys", "privateKey", "ca.crt", "cert", "caCert", "certificate", "hash"),
        *("PASSWORD", "credentials", "wifi_psk", "auth", "K8S_TOKEN", "kubeconfig", "pwd", "passphrase"),
        *("pw", "rootPw", "pw2", "pw_path", "passcode", "door_passcode", "PASSCODE"),
    ],
)
def test_names_of_secrets(key: str) -> None:
    """Keys that name a password, a token, a key, a certificate or a hash are known, however they are written."""
    assert names_a_secret(key)


@pytest.mark.parametrize(
    "key", ["name", "keyboard", "keymap", "compass", "image", "concert", "author", "path", "", "pwm", "httpw"]
)
def test_names_of_other_things(key: str) -> None:
    """Keys that only hold such a word by chance are not."""
    assert not names_a_secret(key)


SECRET = st.text(st.characters(exclude_characters="*", exclude_categories=["Cs"]), min_size=6, max_size=40).filter(
    lambda text: text.strip() == text
)
OTHER = st.text("0123456789", max_size=5)


@given(SECRET, OTHER)
def test_no_form_of_a_secret_is_shown(secret: str, other: str) -> None:
    """As a template writes it, a secret stands in no text: plain, in JSON, HTML, a URL, base64, hexadecimal."""
    masks = Masks({"password": secret, "list": [{"token": ["x" + secret]}]})
    forms = [
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        html.escape(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        secret.encode().hex(),
        base64.b64encode(secret.encode()).decode(),
    ]
    for form in forms:
        assert form not in masks.text(f"{other}{form}{other}")
    for before in range(4):
        text = base64.b64encode(b"#" * before + secret.encode() + b"##").decode()
        shown = masks.text(text)
        assert MASK in shown
        assert len(shown) < len(text) - 4 * len(secret) // 3 + 12


@given(st.lists(SECRET.filter(lambda text: len(text.splitlines()) == 1), min_size=2, max_size=4))
def test_lines_of_a_secret_are_masked(lines: list[str]) -> None:
    """A secret of several lines is masked line by line, since templates indent it."""
    masks = Masks({"ca_key": "\n".join(lines)})
    shown = masks.text("\n".join(f"    {line}" for line in lines))
    for line in lines:
        assert line not in shown


def test_masked_data() -> None:
    """Under such a key everything is masked, elsewhere what holds the same value."""
    data = {"token": {"a": ["s3cr3t", 1234567, None, True]}, "url": "http://u:s3cr3t@h", "n": 1234567, "ok": [1, True]}
    assert Masks(data).data(data) == {
        "token": {"a": [MASK, MASK, MASK, MASK]},
        "url": f"http://u:{MASK}@h",
        "n": MASK,
        "ok": [1, True],
    }


def test_numbers_are_masked_as_go_prints_them() -> None:
    """A number that is a secret is masked in the forms that a template writes."""
    masks = Masks({"pin_token": 1000000})
    assert masks.text("1e+06 1000000") == f"{MASK} {MASK}"


def test_nothing_to_mask() -> None:
    """Without a secret, texts and data stay as they are."""
    data = {"name": "a", "password": "", "token": None}
    masks = Masks(data)
    assert masks.text("a b") == "a b"
    assert masks.data({"name": "a"}) == {"name": "a"}
