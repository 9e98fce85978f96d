"""Logins from a docker config.json or a secret; errors never show passwords."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.oci.distribution.docker_config import Login, logins_from_environment, logins_from_secret
from lambda_matchbox.oci.errors import RegistryError

LOGIN = Login("user", "pass:word")
AUTH = base64.b64encode(b"user:pass:word").decode()


def login_of(directory: Path, document: Any, registry: str = "ghcr.io") -> Login | None:
    """The login in a file with this text, or with this as JSON."""
    text = document if isinstance(document, str) else json.dumps(document)
    (directory / "config.json").write_text(text)
    return logins_from_environment({"DOCKER_CONFIG": str(directory)})(registry)


@pytest.mark.parametrize(
    "entry",
    [
        {"auth": AUTH},
        {"auth": f" {AUTH}\n"},
        {"username": "user", "password": "pass:word"},
        {"auth": AUTH, "username": "other", "password": "other"},
        {"auth": AUTH, "email": "a@b.example"},
    ],
)
def test_entry_has_a_login(tmp_path: Path, entry: dict[str, str]) -> None:
    """In `auth`, or in `username` and `password`."""
    assert login_of(tmp_path, {"auths": {"ghcr.io": entry}}) == LOGIN


@pytest.mark.parametrize(
    ("key", "registry"),
    [
        ("ghcr.io", "ghcr.io"),
        ("https://ghcr.io", "ghcr.io"),
        ("http://GHCR.io/v2/", "ghcr.io"),
        ("ghcr.io/team", "ghcr.io"),
        ("127.0.0.1:5000", "127.0.0.1:5000"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("docker.io", "docker.io"),
        ("registry-1.docker.io", "docker.io"),
    ],
)
def test_key_names_a_host(tmp_path: Path, key: str, registry: str) -> None:
    """Possibly with scheme and path; Docker Hub has several hosts."""
    assert LOGIN == login_of(tmp_path, {"auths": {key: {"auth": AUTH}}}, registry)


@pytest.mark.parametrize("key", ["ghcr.io:443", "ghcr.io.example", "quay.io", "example/ghcr.io", "http://[", ""])
def test_login_of_another_host_is_not_used(tmp_path: Path, key: str) -> None:
    assert None is login_of(tmp_path, {"auths": {key: {"auth": AUTH}}})


def test_key_without_a_path_is_preferred(tmp_path: Path) -> None:
    other = {"username": "other", "password": "other"}
    assert LOGIN == login_of(tmp_path, {"auths": {"ghcr.io/team": other, "ghcr.io": {"auth": AUTH}}})


@pytest.mark.parametrize(
    "document", [{}, {"auths": {}}, {"auths": {"ghcr.io": {}}}, {"auths": {"ghcr.io": {"auth": ""}}}]
)
def test_missing_or_empty_entry_is_no_login(tmp_path: Path, document: dict[str, Any]) -> None:
    assert None is login_of(tmp_path, document)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"credHelpers": {"ghcr.io": "pass"}}, "`credHelpers` for ghcr.io are not supported"),
        ({"credsStore": "desktop", "auths": {"ghcr.io": {}}}, "in a `credsStore`: not supported"),
        ({"auths": {"ghcr.io": {"auth": AUTH, "identitytoken": "secret"}}}, "`identitytoken` for 'ghcr.io' is not"),
    ],
)
def test_credential_helper_is_an_error_with_advice(tmp_path: Path, document: dict[str, Any], message: str) -> None:
    """Only for the registry it belongs to."""
    with pytest.raises(RegistryError, match=f"{message}.*DOCKER_CONFIG"):
        login_of(tmp_path, document)
    assert None is login_of(tmp_path, document, "quay.io")


def test_login_in_the_file_is_used_beside_a_store(tmp_path: Path) -> None:
    document = {"credsStore": "desktop", "credHelpers": {"quay.io": "pass"}, "auths": {"ghcr.io": {"auth": AUTH}}}
    assert LOGIN == login_of(tmp_path, document)


@pytest.mark.parametrize(
    "document",
    [
        '{"auths": "hush"',
        '"hush"',
        "[" * 100_000,
        {"auths": "hush"},
        {"auths": {"ghcr.io": "hush"}},
        {"auths": {"ghcr.io": {"auth": "hush!"}}},
        {"auths": {"ghcr.io": {"auth": base64.b64encode(b"\xff:hush").decode()}}},
        {"auths": {"ghcr.io": {"auth": base64.b64encode(b"hush").decode()}}},
        {"auths": {"ghcr.io": {"username": "user"}}},
        {"auths": {"ghcr.io": {"password": "hush"}}},
        {"auths": {"ghcr.io": {"username": 7, "password": "hush"}}},
    ],
)
def test_malformed_file_is_an_error_that_hides_its_content(tmp_path: Path, document: Any) -> None:
    with pytest.raises(RegistryError, match=r"config\.json") as caught:
        login_of(tmp_path, document)
    assert "hush" not in str(caught.value).replace(str(tmp_path), "")
    assert None is caught.value.__cause__


def test_file_is_found_by_environment(tmp_path: Path) -> None:
    text = json.dumps({"auths": {"ghcr.io": {"auth": AUTH}}})
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(text)
    other = str(tmp_path / "other")
    assert LOGIN == logins_from_environment({"HOME": str(tmp_path)})("ghcr.io")
    assert LOGIN == logins_from_environment({"HOME": str(tmp_path), "DOCKER_CONFIG": ""})("ghcr.io")
    assert None is logins_from_environment({"HOME": str(tmp_path), "DOCKER_CONFIG": other})("ghcr.io")
    assert None is logins_from_environment({})("ghcr.io")


def test_unreadable_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").mkdir()
    logins = logins_from_environment({"DOCKER_CONFIG": str(tmp_path)})
    with pytest.raises(RegistryError, match="cannot read the logins"):
        logins("ghcr.io")


def test_changed_file_counts_at_once(tmp_path: Path) -> None:
    logins = logins_from_environment({"DOCKER_CONFIG": str(tmp_path)})
    assert None is logins("ghcr.io")
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"ghcr.io": {"auth": AUTH}}}))
    assert LOGIN == logins("ghcr.io")


def test_secret_with_a_user_is_for_all_registries() -> None:
    logins = logins_from_secret('{"username": "user", "password": "pass:word"}')
    assert [LOGIN, LOGIN] == [logins("ghcr.io"), logins("quay.io")]


def test_secret_with_a_config_is_for_its_registries() -> None:
    logins = logins_from_secret(json.dumps({"auths": {"https://ghcr.io": {"auth": AUTH}}}))
    assert [LOGIN, None] == [logins("ghcr.io"), logins("quay.io")]


@pytest.mark.parametrize("text", ["", "hidden", "[]", "{}", '{"username": "user"}', '{"username": "u", "password": 7}'])
def test_malformed_secret_is_an_error_that_hides_it(text: str) -> None:
    with pytest.raises(RegistryError, match="the secret with the registry's login is") as caught:
        logins_from_secret(text)
    assert "hidden" not in str(caught.value)


def test_login_hides_its_password() -> None:
    """In logs and tracebacks."""
    assert "Login(username='user', password=…)" == repr(LOGIN) == f"{LOGIN}"


@given(
    st.text(st.characters(exclude_characters=":", exclude_categories=["Cs", "Cc"]), min_size=1),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1),
)
def test_any_login_survives_auth(username: str, password: str) -> None:
    """A user has no colon."""
    auth = base64.b64encode(f"{username}:{password}".encode()).decode()
    logins = logins_from_secret(json.dumps({"auths": {"ghcr.io": {"auth": auth}}}))
    assert Login(username, password) == logins("ghcr.io")
