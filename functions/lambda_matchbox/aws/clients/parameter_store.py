"""Values of parameters in Systems Manager's Parameter Store."""

from collections.abc import Callable, Sequence

from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.json_service import JsonProtocol, JsonService
from lambda_matchbox.aws.clients.sigv4 import Credentials

MAX_NAMES = 10
"""Parameters of one call."""

_PROTOCOL = JsonProtocol("ssm", "AmazonSSM", "1.1")


class ParameterStore:
    """Parameters of one region; `endpoint` is `http[s]://HOST[:PORT]`, or None for the region's own."""

    def __init__(
        self, endpoint: str | None, region: str, credentials_provider: Callable[[], Credentials], http: HttpClient
    ) -> None:
        self._service = JsonService(_PROTOCOL, endpoint, region, credentials_provider, http)

    def values(self, names: Sequence[str], deadline: float) -> dict[str, str]:
        """The decrypted values of at most MAX_NAMES parameters, without those that do not exist.

        The deadline is a moment of time.monotonic(). Raises StoreUnavailableError without a response in time, AWSError
        for a refusal.
        """
        response = self._service.call("GetParameters", {"Names": [*names], "WithDecryption": True}, deadline)
        return {parameter["Name"]: parameter["Value"] for parameter in response["Parameters"]}
