"""A registry gets the credentials it requires, and no other server does."""

import base64
import json
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.oci.distribution.authentication import Authorizations, parse_challenges
from lambda_matchbox.oci.distribution.docker_config import Login, Logins, no_logins
from lambda_matchbox.oci.distribution.registry import Registry
from lambda_matchbox.oci.distribution.registry_http import RegistryHttp
from lambda_matchbox.oci.errors import RegistryError
from lambda_matchbox.oci.image_reference import ImageReference, Platform
from tests.support.faulty_registry import Fault, FaultyRegistry
from tests.support.images import layers, manifests
from tests.unit.oci.distribution.fast_retries import FAST_RETRIES

ARM64 = Platform("linux", "arm64")
KERNEL = layers.plain(layers.Entry("vmlinuz", b"kernel"))
IMAGE = manifests.image([KERNEL])
SECRET = "pass:wörd"
LOGIN = ("user", SECRET)


@pytest.fixture
def faulty(faulty: FaultyRegistry) -> FaultyRegistry:
    faulty.add("team/boot", "stable", IMAGE)
    faulty.scheme = "bearer"
    return faulty


def reference_to(faulty: FaultyRegistry) -> ImageReference:
    return ImageReference(faulty.host, "team/boot", "stable", "")


def pull(faulty: FaultyRegistry, logins: Logins = no_logins) -> bytes:
    """Everything of the image, and the bytes of its only layer."""
    reference = reference_to(faulty)
    with closing(Registry(logins, retry_policy=FAST_RETRIES)) as registry:
        manifest = registry.manifest(reference, registry.resolve(reference, ARM64)[-1])
        registry.config(reference, manifest)
        with registry.open_blob(reference, manifest.layers[0]) as blob:
            return b"".join(iter(lambda: blob.read(65536), b""))


def login_for(faulty: FaultyRegistry, login: Login | None) -> Logins:
    return lambda registry: login if registry == faulty.host else None


@pytest.mark.parametrize("name", ["token", "access_token"])
def test_anonymous_token_is_fetched_once(faulty: FaultyRegistry, name: str) -> None:
    """The token is scoped to pulling this repository."""
    faulty.token_field = name
    assert KERNEL.body == pull(faulty)
    (token,) = faulty.at("token")
    assert "/token?service=the+service&scope=repository%3Ateam%2Fboot%3Apull" == token.target
    assert "authorization" not in token.headers
    assert [401, 200, 200, 307, 307] == [request.status for request in faulty.at("registry")]


def test_storage_gets_no_token(faulty: FaultyRegistry) -> None:
    pull(faulty)
    assert [False, False] == ["authorization" in request.headers for request in faulty.at("storage")]


@pytest.mark.parametrize("scheme", ["bearer", "basic"])
def test_login_is_sent_to_whoever_requires_it(faulty: FaultyRegistry, scheme: str) -> None:
    """The token endpoint, or the registry itself."""
    faulty.scheme, faulty.login = scheme, LOGIN
    assert KERNEL.body == pull(faulty, login_for(faulty, Login(*LOGIN)))
    assert [False, False] == ["authorization" in request.headers for request in faulty.at("storage")]


def test_registry_that_requires_no_login_gets_none(faulty: FaultyRegistry) -> None:
    faulty.scheme = ""
    pull(faulty, login_for(faulty, Login(*LOGIN)))
    assert not any("authorization" in request.headers for request in faulty.requests)


@pytest.mark.parametrize("scheme", ["bearer", "basic"])
@pytest.mark.parametrize("login", [None, Login("user", "wrong words")])
def test_refused_login_is_a_final_error_with_advice(faulty: FaultyRegistry, scheme: str, login: Login | None) -> None:
    """The error shows neither the password nor text from the registry."""
    faulty.scheme, faulty.login = scheme, LOGIN
    with pytest.raises(RegistryError) as caught:
        pull(faulty, login_for(faulty, login))
    message = str(caught.value)
    assert message.startswith(f"{reference_to(faulty)}: manifest: ")
    assert "DOCKER_CONFIG" in message
    assert "in AWS in the secret" in message
    assert ("'user'" in message) == (login is not None)
    shown = base64.b64encode(b"user:wrong words").decode()
    assert not [secret for secret in ("wrong words", "secret words", shown) if secret in message]
    assert len(faulty.requests) <= 2


def test_forbidden_image_may_be_private(faulty: FaultyRegistry) -> None:
    faulty.faults.append(Fault("manifest", times=100, status=403))
    with pytest.raises(RegistryError, match="answers 403: the image 'team/boot' does not exist or is private"):
        pull(faulty)


def test_expired_token_is_renewed(faulty: FaultyRegistry) -> None:
    """Once for each request."""
    faulty.token_uses, faulty.lifetime = 1, 3600
    assert KERNEL.body == pull(faulty)
    assert 4 == len(faulty.at("token"))


def test_refused_new_token_is_final(faulty: FaultyRegistry) -> None:
    faulty.token_uses = 0
    with pytest.raises(RegistryError, match="answers 401"):
        pull(faulty)
    assert 3 == len(faulty.requests)


@pytest.mark.parametrize(("life", "good_for"), [(None, 60), (300, 300), (0, 60), (-7, 60)])
def test_token_is_cached_for_its_lifetime(faulty: FaultyRegistry, life: int | None, good_for: int) -> None:
    """60 seconds unless the endpoint says otherwise."""
    faulty.lifetime = life
    now = [1000.0]
    reference = reference_to(faulty)
    with closing(RegistryHttp(FAST_RETRIES)) as http:
        authorizations = Authorizations(http, no_logins, clock=lambda: now[0])
        header = f'Bearer realm="http://{faulty.host}/token"'
        given_token = authorizations.authorize(reference, header, "an image")
        now[0] += good_for - 1
        assert given_token == authorizations.cached(reference)
        assert "" == authorizations.cached(reference._replace(repository="team/other"))
        now[0] += 1
        assert "" == authorizations.cached(reference)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"token": ""}',
        b'{"token": 7}',
        b'{"token": "a\\r\\nb"}',
        b'{"token": "\xc3\xbc"}',
    ],
)
def test_response_without_a_valid_token_is_an_error(faulty: FaultyRegistry, body: bytes) -> None:
    faulty.faults.append(Fault("token", body=body))
    with pytest.raises(RegistryError, match=f"manifest: token from {faulty.host}: the response"):
        pull(faulty)


def test_error_does_not_show_the_response(faulty: FaultyRegistry) -> None:
    """Its cause does not either."""
    faulty.faults.append(Fault("token", body=b'{"token": "very secret"'))
    with pytest.raises(RegistryError) as caught:
        pull(faulty)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("header", ["", "Negotiate", 'Digest realm="x"', "=", '"'])
def test_unsupported_scheme_is_an_error(faulty: FaultyRegistry, header: str) -> None:
    faulty.faults.append(Fault("manifest", status=401, headers={"WWW-Authenticate": header}))
    with pytest.raises(RegistryError, match="supported are Bearer and Basic"):
        pull(faulty)


@pytest.mark.parametrize(
    "realm", ["", "token", "http://auth.example/token", "file:///etc/passwd", "https://[::1", "https://"]
)
def test_token_endpoint_must_be_secure(faulty: FaultyRegistry, realm: str) -> None:
    """Else passwords would be sent unencrypted."""
    header = f'Bearer realm="{realm}"'
    faulty.faults.append(Fault("manifest", status=401, headers={"WWW-Authenticate": header}))
    with pytest.raises(RegistryError, match="has an invalid token endpoint"):
        pull(faulty)
    assert 1 == len(faulty.requests)


def test_error_of_logins_names_the_image(faulty: FaultyRegistry) -> None:

    def logins(registry: str) -> Login | None:
        raise RegistryError(f"no store for {registry}")

    with pytest.raises(RegistryError) as caught:
        pull(faulty, logins)
    assert f"{reference_to(faulty)}: manifest: no store for {faulty.host}" == str(caught.value)


def test_query_of_the_realm_is_kept(faulty: FaultyRegistry) -> None:
    faulty.realm = f"http://{faulty.host}/token?account=a%20b"
    pull(faulty)
    expected = "/token?account=a%20b&service=the+service&scope=repository%3Ateam%2Fboot%3Apull"
    assert [expected] == [request.target for request in faulty.at("token")]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('Bearer realm="a,b",scope="r:x:pull,push"', [("bearer", {"realm": "a,b", "scope": "r:x:pull,push"})]),
        ('Basic realm="x", Bearer realm = y', [("basic", {"realm": "x"}), ("bearer", {"realm": "y"})]),
        (r'BEARER Realm="a\"b\\c"', [("bearer", {"realm": r'a"b\c'})]),
        ("Negotiate, Basic", [("negotiate", {}), ("basic", {})]),
        ("Bearer realm=a, realm=b", [("bearer", {"realm": "a"})]),
        ('Bearer realm="a', [("bearer", {})]),
        ("Bearer " + "x" * 10_000, []),
    ],
)
def test_challenges_are_parsed(header: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    """All forms that RFC 9110 allows."""
    assert expected == [(one.scheme, dict(one.parameters)) for one in parse_challenges(header)]


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text(st.characters(codec="latin-1"))))
def test_quoted_parameter_is_unescaped(parameters: dict[str, str]) -> None:
    parts = [
        f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in parameters.items() if value.isprintable()
    ]
    expected = {name: value for name, value in parameters.items() if value.isprintable()}
    assert [("bearer", expected)] == list(parse_challenges(f"Bearer {','.join(parts)}"))


@given(st.text())
def test_any_header_is_parsed(header: str) -> None:
    assert all(one.scheme for one in parse_challenges(header))
