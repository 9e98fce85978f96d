"""What does a secret hold?"""

from collections.abc import Callable

from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.json_service import JsonService, Protocol
from lambda_matchbox.aws.clients.sigv4 import Credentials

_PROTOCOL = Protocol("secretsmanager", "secretsmanager", "1.1")


class SecretsManager:
    """Secrets of one region; `endpoint` is `http[s]://HOST[:PORT]`, or None for the region's own."""

    def __init__(
        self, endpoint: str | None, region: str, credentials_provider: Callable[[], Credentials], http: HttpClient
    ) -> None:
        self._service = JsonService(_PROTOCOL, endpoint, region, credentials_provider, http)

    def text(self, secret: str, deadline: float) -> str:
        """The text of the secret with that name or ARN, empty for one of bytes.

        The deadline is a moment of time.monotonic(). Raises StoreUnavailableError where no answer came in time,
        AWSError where the request was refused.
        """
        answer = self._service.ask("GetSecretValue", {"SecretId": secret}, deadline)
        text: str = answer.get("SecretString") or ""
        return text
