"""One request to one repository of a registry: let in, found, or refused."""

from collections.abc import Mapping
from http import HTTPStatus

from lambda_matchbox.oci.distribution.origins import registry_place
from lambda_matchbox.oci.distribution.patience import TransientError
from lambda_matchbox.oci.distribution.registry_http import RegistryHttp, Reply
from lambda_matchbox.oci.distribution.tokens import Authorizations
from lambda_matchbox.oci.errors import RegistryError
from lambda_matchbox.oci.image_reference import ImageReference

_EXPIRED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_GIVEN = frozenset({HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE})


class Repository:
    """Where manifests and blobs of an image are asked for (distribution specification, "Pulling")."""

    def __init__(self, http: RegistryHttp, authorizations: Authorizations, reference: ImageReference) -> None:
        self._http = http
        self._authorizations = authorizations
        self._reference = reference
        try:
            self._home = registry_place(reference.registry)
        except RegistryError as error:
            raise RegistryError(f"{reference}: {error}") from error

    def ask(self, path: str, what: str, headers: Mapping[str, str]) -> Reply:
        """The answer for `path` below the repository: its status is 200, 206 or 416; its body is to be closed.

        Errors begin with `what` is wanted. Raises TransientError for what may pass by itself, which includes the
        refusal of a storage that the registry led to, since such an address lives minutes; RegistryError otherwise.
        """
        start = self._home._replace(target=f"/v2/{self._reference.repository}/{path}")
        reply = self._http.ask(start, what, headers, self._authorizations.known(self._reference))
        if reply.status == HTTPStatus.UNAUTHORIZED and not reply.moved:
            # Without a token, or with one that is good no longer.
            reply.body.dismiss()
            authorization = self._authorizations.answer(
                self._reference, reply.headers.get("WWW-Authenticate", ""), what
            )
            reply = self._http.ask(start, what, headers, authorization)
        if reply.status in _GIVEN:
            return reply
        reply.body.dismiss()
        raise self._refusal(reply, "image" if path.startswith("manifests/") else "blob", what)

    def _refusal(self, reply: Reply, kind: str, what: str) -> RegistryError:
        if reply.moved and reply.status in _EXPIRED:
            return TransientError(f"{what}: the storage {reply.host} answers {reply.status}")
        if reply.status in _REFUSED:
            return self._authorizations.refused(self._reference, reply.status, what)
        if reply.status == HTTPStatus.NOT_FOUND:
            return RegistryError(f"{what}: {reply.host} answers 404: there is no such {kind}")
        return RegistryError(f"{what}: {reply.host} answers {reply.status}")
