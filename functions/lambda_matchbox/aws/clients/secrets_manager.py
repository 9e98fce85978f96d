"""Texts of secrets."""

from collections.abc import Callable

from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.json_service import JsonProtocol, JsonService
from lambda_matchbox.aws.clients.sigv4 import Credentials

_PROTOCOL = JsonProtocol("secretsmanager", "secretsmanager", "1.1")


class SecretsManager:
    """Secrets of one region; `endpoint` is `http[s]://HOST[:PORT]`, or None for the region's own."""

    def __init__(
        self, endpoint: str | None, region: str, credentials_provider: Callable[[], Credentials], http: HttpClient
    ) -> None:
        self._service = JsonService(_PROTOCOL, endpoint, region, credentials_provider, http)

    def text(self, secret: str, deadline: float) -> str:
        """The text of the secret with that name or ARN, empty for a binary one.

        The deadline is a moment of time.monotonic(). Raises StoreUnavailableError without a response in time, AWSError
        for a refusal.
        """
        response = self._service.call("GetSecretValue", {"SecretId": secret}, deadline)
        text: str = response.get("SecretString") or ""
        return text
