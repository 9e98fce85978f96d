"""The Lambda function behind the balancer for paths that end in `.sig` and `.asc`: boot_api with a key.

A function of its own, so that boot_api neither loads the library, nor waits for the secret, nor may read it.
"""

import os
import time
from collections.abc import Mapping
from functools import cache, partial
from typing import Any, NamedTuple

from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.secrets_manager import SecretsManager
from lambda_matchbox.environment import required
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.signing.key import SigningKey, SigningKeyError, unlocked
from lambda_matchbox.signing.secret import SigningSecretError, parse_signing_secret
from lambda_matchbox.web.app import App
from lambda_matchbox.web.settings import Settings
from lambda_matchbox.web.signatures import Signatures
from lambda_matchbox.web.wiring import lambda_app, lambda_credentials

# What the start may wait for the secret, of the ten seconds that the function has.
_SECRET_SECONDS = 5.0


class SigningNotPossibleError(Exception):
    """The function cannot sign; the message says what to mend. It is raised at each event until that is done."""


class SignedSettings(NamedTuple):
    """boot_api's settings, and the ARN of the secret with the key. An endpoint is None on AWS."""

    boot: Settings
    secret: str
    secrets_endpoint: str | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "SignedSettings":
        """Read them. Raises MissingSettingError, or ValueError for a value that cannot be used."""
        return cls(
            Settings.from_environment(environment),
            required(environment, "MATCHBOX_SIGNING_KEY_SECRET"),
            environment.get("AWS_ENDPOINT_URL_SECRETS_MANAGER") or None,
        )


def app_of(environment: Mapping[str, str]) -> App:
    """The app as the function's environment describes it, with its key.

    Raises MissingSettingError, ValueError, SigningNotPossibleError.
    """
    key = _key(SignedSettings.from_environment(environment), environment)
    app = lambda_app(environment, Signatures(key.binary, key.armored))
    app.log.info("signing", extra={"fingerprint": key.fingerprint})
    return app


def _key(settings: SignedSettings, environment: Mapping[str, str]) -> SigningKey:
    http = HttpClient()
    credentials = partial(lambda_credentials, environment)
    secrets = SecretsManager(settings.secrets_endpoint, settings.boot.region, credentials, http)
    try:
        text = secrets.text(settings.secret, time.monotonic() + _SECRET_SECONDS)
        secret = parse_signing_secret(text)
        return unlocked(secret.ring, secret.passphrase)
    except (AWSError, StoreUnavailableError, SigningSecretError, SigningKeyError) as error:
        raise SigningNotPossibleError(f"secret {settings.secret!r} has no key to sign with: {error}") from error
    finally:
        http.close()


@cache
def _app() -> App:
    return app_of(os.environ)


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 (Lambda's signature)
    """Answer one event of the balancer. Raises SigningNotPossibleError."""
    return _app().handle(event)
