"""Logins come out of a docker config.json or a secret, and passwords never into an error."""

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
def test_entries(tmp_path: Path, entry: dict[str, str]) -> None:
    """User and password stand in `auth`, or beside each other."""
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
def test_keys(tmp_path: Path, key: str, registry: str) -> None:
    """A key is a host, also with a scheme and a path; Docker Hub has several."""
    assert LOGIN == login_of(tmp_path, {"auths": {key: {"auth": AUTH}}}, registry)


@pytest.mark.parametrize("key", ["ghcr.io:443", "ghcr.io.example", "quay.io", "example/ghcr.io", "http://[", ""])
def test_keys_of_others(tmp_path: Path, key: str) -> None:
    """The login of another host is not used."""
    assert None is login_of(tmp_path, {"auths": {key: {"auth": AUTH}}})


def test_the_plainest_key_counts(tmp_path: Path) -> None:
    """The entry for the host itself goes before one for a path there."""
    other = {"username": "other", "password": "other"}
    assert LOGIN == login_of(tmp_path, {"auths": {"ghcr.io/team": other, "ghcr.io": {"auth": AUTH}}})


@pytest.mark.parametrize(
    "document", [{}, {"auths": {}}, {"auths": {"ghcr.io": {}}}, {"auths": {"ghcr.io": {"auth": ""}}}]
)
def test_no_login(tmp_path: Path, document: dict[str, Any]) -> None:
    """A registry without an entry, or with an empty one, is asked without a login."""
    assert None is login_of(tmp_path, document)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"credHelpers": {"ghcr.io": "pass"}}, "`credHelpers` for ghcr.io are not supported"),
        ({"credsStore": "desktop", "auths": {"ghcr.io": {}}}, "in a `credsStore`: not supported"),
        ({"auths": {"ghcr.io": {"auth": AUTH, "identitytoken": "secret"}}}, "`identitytoken` for 'ghcr.io' is not"),
    ],
)
def test_other_keepers_of_passwords(tmp_path: Path, document: dict[str, Any], message: str) -> None:
    """What keeps the password elsewhere is an error that says what to do, for the registry that it is about only."""
    with pytest.raises(RegistryError, match=f"{message}.*DOCKER_CONFIG"):
        login_of(tmp_path, document)
    assert None is login_of(tmp_path, document, "quay.io")


def test_a_store_for_others(tmp_path: Path) -> None:
    """A login in the file is used though there is a store as well."""
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
def test_malformed_files(tmp_path: Path, document: Any) -> None:
    """What cannot be read is an error that names the file, and neither it nor its cause shows what stands there."""
    with pytest.raises(RegistryError, match=r"config\.json") as caught:
        login_of(tmp_path, document)
    assert "hush" not in str(caught.value).replace(str(tmp_path), "")
    assert None is caught.value.__cause__


def test_places_of_the_file(tmp_path: Path) -> None:
    """The file is in the directory that DOCKER_CONFIG names, else in ~/.docker; without one there is no login."""
    text = json.dumps({"auths": {"ghcr.io": {"auth": AUTH}}})
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(text)
    other = str(tmp_path / "other")
    assert LOGIN == logins_from_environment({"HOME": str(tmp_path)})("ghcr.io")
    assert LOGIN == logins_from_environment({"HOME": str(tmp_path), "DOCKER_CONFIG": ""})("ghcr.io")
    assert None is logins_from_environment({"HOME": str(tmp_path), "DOCKER_CONFIG": other})("ghcr.io")
    assert None is logins_from_environment({})("ghcr.io")


def test_an_unreadable_file(tmp_path: Path) -> None:
    """A file that cannot be read is no missing one, once a login is wanted."""
    (tmp_path / "config.json").mkdir()
    logins = logins_from_environment({"DOCKER_CONFIG": str(tmp_path)})
    with pytest.raises(RegistryError, match="cannot read the logins"):
        logins("ghcr.io")


def test_a_new_login_counts_at_once(tmp_path: Path) -> None:
    """The file is read each time, so a program that runs for long learns of a new password."""
    logins = logins_from_environment({"DOCKER_CONFIG": str(tmp_path)})
    assert None is logins("ghcr.io")
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"ghcr.io": {"auth": AUTH}}}))
    assert LOGIN == logins("ghcr.io")


def test_secret_of_a_user() -> None:
    """A secret with a user and a password stands for every registry."""
    logins = logins_from_secret('{"username": "user", "password": "pass:word"}')
    assert [LOGIN, LOGIN] == [logins("ghcr.io"), logins("quay.io")]


def test_secret_of_a_file() -> None:
    """A secret may be a docker config.json, and then stands for the registries in it."""
    logins = logins_from_secret(json.dumps({"auths": {"https://ghcr.io": {"auth": AUTH}}}))
    assert [LOGIN, None] == [logins("ghcr.io"), logins("quay.io")]


@pytest.mark.parametrize("text", ["", "hidden", "[]", "{}", '{"username": "user"}', '{"username": "u", "password": 7}'])
def test_malformed_secrets(text: str) -> None:
    """A secret of another form is an error that does not show it."""
    with pytest.raises(RegistryError, match="the secret with the registry's login is") as caught:
        logins_from_secret(text)
    assert "hidden" not in str(caught.value)


def test_a_login_does_not_show_its_password() -> None:
    """A login that gets into a log or a traceback shows the user only."""
    assert "Login(username='user', password=…)" == repr(LOGIN) == f"{LOGIN}"


@given(
    st.text(st.characters(exclude_characters=":", exclude_categories=["Cs", "Cc"]), min_size=1),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1),
)
def test_any_login(username: str, password: str) -> None:
    """Every user without a colon and every password get through `auth`."""
    auth = base64.b64encode(f"{username}:{password}".encode()).decode()
    logins = logins_from_secret(json.dumps({"auths": {"ghcr.io": {"auth": auth}}}))
    assert Login(username, password) == logins("ghcr.io")
