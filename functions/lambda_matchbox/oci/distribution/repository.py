"""Requests to one repository of a registry, with authentication."""

from collections.abc import Mapping
from http import HTTPStatus

from lambda_matchbox.oci.distribution.authentication import Authorizations
from lambda_matchbox.oci.distribution.origins import registry_location
from lambda_matchbox.oci.distribution.registry_http import RegistryHttp, RegistryResponse
from lambda_matchbox.oci.distribution.retries import TransientError
from lambda_matchbox.oci.errors import RegistryError
from lambda_matchbox.oci.image_reference import ImageReference

_EXPIRED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_DENIED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_OK = frozenset({HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE})


class StatusError(RegistryError):
    """A registry's response with a `status` that is an error and not a denial."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Repository:
    """The manifests and blobs of an image (distribution specification, "Pulling")."""

    def __init__(self, http: RegistryHttp, authorizations: Authorizations, reference: ImageReference) -> None:
        self._http = http
        self._authorizations = authorizations
        self._reference = reference
        try:
            self._root = registry_location(reference.registry)
        except RegistryError as error:
            raise RegistryError(f"{reference}: {error}") from error

    def get(self, path: str, what: str, headers: Mapping[str, str]) -> RegistryResponse:
        """The response for `path` below the repository: its status is 200, 206 or 416; the caller closes its body.

        Errors begin with `what`. Raises TransientError for a failure that may pass by itself (a storage that refuses
        the address the registry redirected to, since such an address expires in minutes, is one), else RegistryError, a
        StatusError where the registry has nothing there.
        """
        location = self._root._replace(target=f"/v2/{self._reference.repository}/{path}")
        response = self._http.get(location, what, headers, self._authorizations.cached(self._reference))
        if response.status == HTTPStatus.UNAUTHORIZED and not response.redirected:
            # No token, or an expired one.
            response.body.discard()
            challenge = response.headers.get("WWW-Authenticate", "")
            authorization = self._authorizations.authorize(self._reference, challenge, what)
            response = self._http.get(location, what, headers, authorization)
        if response.status in _OK:
            return response
        response.body.discard()
        raise self._error(response, "blob" if path.startswith("blobs/") else "image", what)

    def _error(self, response: RegistryResponse, kind: str, what: str) -> RegistryError:
        # Of a manifest 404 is an answer: some registries redirect to another one.
        is_absent = kind == "image" and response.status == HTTPStatus.NOT_FOUND
        if response.redirected and response.status in _EXPIRED and not is_absent:
            return TransientError(f"{what}: the storage {response.host} answers {response.status}")
        if response.status in _DENIED:
            return self._authorizations.denied(self._reference, response.status, what)
        if response.status == HTTPStatus.NOT_FOUND:
            return StatusError(f"{what}: {response.host} answers 404: no such {kind}", response.status)
        return StatusError(f"{what}: {response.host} answers {response.status}", response.status)
