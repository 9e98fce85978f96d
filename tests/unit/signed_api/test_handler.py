"""The function that serves .sig and .asc: its start, its secret, its log."""

import json
import subprocess
import sys
import uuid
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.environment import MissingSettingError
from lambda_matchbox.signing.secret import SigningSecret, SigningSecretError, parse_signing_secret
from signed_api import handler
from signed_api.handler import SigningNotPossibleError, app_of
from tests.rigs.faults import Refuse
from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.rigs.tcp_fault import fault_proxy
from tests.support.openpgp.independent import is_signed
from tests.support.openpgp.keys import PASSPHRASE, key_ring, signing_key
from tests.unit.web.hostile_requests import event

Environment = dict[str, str]

RESPONSES = """
import json, sys
from signed_api.handler import handler
print(json.dumps([handler(event, None) for event in json.load(sys.stdin)]))
"""


@pytest.fixture(scope="module")
def environment(moto_server: Service) -> Environment:
    """Table and bucket with one machine; no secret yet."""
    stores = new_stores(moto_server, moto_server)
    stores.create()
    writer = stores.writer()
    writer.put_profile(Profile("p", boot=NetBoot("/assets/vmlinuz")))
    writer.put_group(Group("g", profile="p"))
    return stores.environment() | {
        "MATCHBOX_LOG_LEVEL": "info",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": moto_server.endpoint,
    }


@pytest.fixture
def with_secret(moto_server: Service, environment: Environment) -> Iterator[Callable[[str], Environment]]:
    """The environment with a new secret."""
    with closing(moto_server.client("secretsmanager")) as client:

        def made(text: str) -> Environment:
            secret = client.create_secret(Name=f"signing-{uuid.uuid4()}", SecretString=text)["ARN"]
            return environment | {"MATCHBOX_SIGNING_KEY_SECRET": secret}

        yield made


def secret_of(name: str, **fields: str) -> str:
    """A secret with that key ring."""
    return json.dumps({"key": key_ring(name).decode(), **fields})


def test_first_event_unlocks_the_key(with_secret: Callable[[str], Environment]) -> None:
    """Its fingerprint is logged once."""
    events = [event("GET", path) for path in ("/ipxe", "/ipxe.sig")]
    done = subprocess.run(
        [sys.executable, "-c", RESPONSES],
        input=json.dumps(events),
        env=with_secret(secret_of("rsa")),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    *lines, responses = map(json.loads, done.stdout.splitlines())
    plain, signature = map(_body, responses)
    assert is_signed(signature, plain)
    assert [signing_key("rsa").fingerprint] == [line["fingerprint"] for line in lines if line["message"] == "signing"]


def test_passphrase_is_that_of_the_secret(with_secret: Callable[[str], Environment]) -> None:
    app = app_of(with_secret(secret_of("ed25519-miscounted", passphrase=PASSPHRASE)))
    assert 200 == app.handle(event("GET", "/ipxe.asc"))["statusCode"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (secret_of("ed25519"), "is protected: set its passphrase"),
        (secret_of("ed25519", passphrase="wrong horse"), "the passphrase does not unlock key 0AF2"),
        (secret_of("expired"), "expired on 2020-01-03"),
        (secret_of("public"), "is public only"),
        (secret_of("certify-only"), "it has no signing key"),
        (secret_of("revoked"), "is revoked"),
        ("no JSON", "not JSON: write"),
    ],
)
def test_key_that_cannot_sign_ends_the_start(with_secret: Callable[[str], Environment], text: str, said: str) -> None:
    """The error names the secret and shows nothing of it."""
    environment = with_secret(text)
    with pytest.raises(SigningNotPossibleError) as caught:
        app_of(environment)
    message = str(caught.value)
    assert message.startswith(f"secret '{environment['MATCHBOX_SIGNING_KEY_SECRET']}' has no key to sign with: ")
    assert said in message
    assert [] == [hidden for hidden in ("wrong horse", "PRIVATE KEY") if hidden in message]


def test_absent_secret_ends_the_start(environment: Environment) -> None:
    with pytest.raises(SigningNotPossibleError, match="ResourceNotFoundException"):
        app_of(environment | {"MATCHBOX_SIGNING_KEY_SECRET": "absent"})


def test_unavailable_secrets_manager_ends_the_start(
    moto_server: Service, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within its time."""
    monkeypatch.setattr(handler, "_SECRET_SECONDS", 0.5)
    with fault_proxy(moto_server.endpoint) as proxy:
        proxy.switch(Refuse())
        given = {"MATCHBOX_SIGNING_KEY_SECRET": "any", "AWS_ENDPOINT_URL_SECRETS_MANAGER": proxy.endpoint}
        with pytest.raises(SigningNotPossibleError, match="no response from"):
            app_of(environment | given)


def test_variable_with_the_secret_is_required(environment: Environment) -> None:
    with pytest.raises(MissingSettingError, match="MATCHBOX_SIGNING_KEY_SECRET"):
        app_of(environment)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"passphrase": "x"}', "'key'"),
        ('{"key": ""}', "'key'"),
        ('{"key": 5}', "'key'"),
        ('{"key": "x", "passphrase": null}', "'passphrase'"),
        ('{"key": "x", "pasphrase": "x"}', "'pasphrase'"),
    ],
)
def test_malformed_secret_is_refused(text: str, said: str) -> None:
    """The message shows the expected form."""
    with pytest.raises(SigningSecretError, match=said) as caught:
        parse_signing_secret(text)
    assert '{"key": "<armored private key>"' in str(caught.value)


def test_secret_is_not_in_its_repr() -> None:
    secret = parse_signing_secret('{"key": "hidden", "passphrase": "hidden"}')
    assert SigningSecret(b"hidden", "hidden") == secret
    assert "hidden" not in repr(secret)


def _body(response: dict[str, Any]) -> bytes:
    assert 200 == response["statusCode"]
    return b64decode(response["body"]) if response["isBase64Encoded"] else response["body"].encode()
