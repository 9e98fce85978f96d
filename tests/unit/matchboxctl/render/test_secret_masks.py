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
def test_keys_that_name_a_secret(key: str) -> None:
    """In any spelling."""
    assert names_a_secret(key)


@pytest.mark.parametrize(
    "key", ["name", "keyboard", "keymap", "compass", "image", "concert", "author", "path", "", "pwm", "httpw"]
)
def test_keys_that_name_no_secret(key: str) -> None:
    """They contain such a word by chance."""
    assert not names_a_secret(key)


SECRET = st.text(st.characters(exclude_characters="*", exclude_categories=["Cs"]), min_size=6, max_size=40).filter(
    lambda text: text.strip() == text
)
OTHER = st.text("0123456789", max_size=5)


@given(SECRET, OTHER)
def test_every_encoding_of_a_secret_is_masked(secret: str, other: str) -> None:
    """Plain, JSON, HTML, URL, base64, hexadecimal."""
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
    """Templates indent them."""
    masks = Masks({"ca_key": "\n".join(lines)})
    shown = masks.text("\n".join(f"    {line}" for line in lines))
    for line in lines:
        assert line not in shown


def test_values_under_secret_keys_are_masked() -> None:
    """And equal values elsewhere."""
    data = {"token": {"a": ["s3cr3t", 1234567, None, True]}, "url": "http://u:s3cr3t@h", "n": 1234567, "ok": [1, True]}
    assert Masks(data).data(data) == {
        "token": {"a": [MASK, MASK, MASK, MASK]},
        "url": f"http://u:{MASK}@h",
        "n": MASK,
        "ok": [1, True],
    }


def test_numbers_are_masked_as_go_prints_them() -> None:
    masks = Masks({"pin_token": 1000000})
    assert masks.text("1e+06 1000000") == f"{MASK} {MASK}"


def test_texts_without_secrets_are_unchanged() -> None:
    data = {"name": "a", "password": "", "token": None}
    masks = Masks(data)
    assert masks.text("a b") == "a b"
    assert masks.data({"name": "a"}) == {"name": "a"}
