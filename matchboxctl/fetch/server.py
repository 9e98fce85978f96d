"""A project's server, or a mirror of it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus

from lambda_matchbox.oci.distribution.origins import Location, parse_location
from lambda_matchbox.oci.distribution.registry_http import RegistryHttp, RegistryResponse
from lambda_matchbox.oci.distribution.retries import RetryPolicy, retry
from lambda_matchbox.oci.errors import RegistryError
from matchboxctl.cli.errors import FailedError, UsageError

# Servers without a listing of their files answer 403 for those that they lack.
_ABSENT = (HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN)
_MAX_TEXT = 16 << 20


class Server:
    """The server at the address `base`: https, or http on this machine. Redirects are followed as a registry's are."""

    def __init__(self, base: str, http: RegistryHttp, retry_policy: RetryPolicy) -> None:
        """Raises UsageError for an address that cannot be used."""
        try:
            self._base = parse_location(base.rstrip("/"))
        except RegistryError as error:
            raise UsageError(f"--server: {error}") from error
        self._http = http
        self.retry_policy = retry_policy

    @property
    def name(self) -> str:
        """Its host, for messages."""
        return self._base.name

    def at(self, path: str) -> Location:
        """The location of a file below the server's address."""
        return self._base._replace(target=f"{self._base.target.rstrip('/')}/{path}")

    def text(self, path: str) -> bytes | None:
        """A small file; None if the server lacks it. Raises FailedError."""
        return self.text_at(self.at(path))

    def text_at(self, location: Location) -> bytes | None:
        """A small file, given by its location."""

        def attempt() -> bytes | None:
            with self.open(location) as response:
                if response.status in _ABSENT:
                    return None
                if response.status != HTTPStatus.OK:
                    raise RegistryError(f"{location.target}: {response.host} answers {response.status}")
                return response.body.read_all(_MAX_TEXT)

        try:
            return retry(self.retry_policy, attempt)
        except RegistryError as error:
            raise FailedError(str(error)) from error

    @contextmanager
    def open(self, location: Location, offset: int = 0) -> Iterator[RegistryResponse]:
        """The response to a request for the file from the offset on. Raises RegistryError and TransientError."""
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        response = self._http.get(location, location.target, headers)
        with closing(response.body):
            yield response
