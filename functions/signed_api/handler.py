"""The Lambda function for paths in `.sig` and `.asc`: boot_api's app with a key.

A separate function, so that boot_api neither loads the library nor may read the secret.
"""

import os
import time
from collections.abc import Mapping
from functools import cache, partial
from typing import Any, NamedTuple

from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.secrets_manager import SecretsManager
from lambda_matchbox.aws.clients.sigv4 import lambda_credentials
from lambda_matchbox.environment import endpoint_url, required
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.signing.key import SigningKey, SigningKeyError, unlock
from lambda_matchbox.signing.secret import SigningSecretError, parse_signing_secret
from lambda_matchbox.web.app import App
from lambda_matchbox.web.settings import Settings
from lambda_matchbox.web.signatures import Signatures
from lambda_matchbox.web.wiring import lambda_app

# The time for reading the secret, of ten seconds for the start.
_SECRET_SECONDS = 5.0


class SigningNotPossibleError(Exception):
    """The function cannot sign; the message says what to change. Every event raises it until then."""


class SignedSettings(NamedTuple):
    """boot_api's settings, and the ARN of the secret with the key; the endpoint is None on AWS."""

    boot: Settings
    secret: str
    secrets_endpoint: str | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "SignedSettings":
        """Read them. Raises MissingSettingError, or ValueError for an invalid value."""
        return cls(
            Settings.from_environment(environment),
            required(environment, "MATCHBOX_SIGNING_KEY_SECRET"),
            endpoint_url(environment, "SECRETS_MANAGER"),
        )


def app_of(environment: Mapping[str, str]) -> App:
    """The app of a function with this environment.

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
        return unlock(secret.ring, secret.passphrase)
    except (AWSError, StoreUnavailableError, SigningSecretError, SigningKeyError) as error:
        raise SigningNotPossibleError(f"secret {settings.secret!r} has no key to sign with: {error}") from error
    finally:
        http.close()


@cache
def _app() -> App:
    return app_of(os.environ)


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 (Lambda's signature)
    """Respond to one event of the load balancer or the function URL. Raises SigningNotPossibleError."""
    return _app().handle(event)
