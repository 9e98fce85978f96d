"""The protocol of the store for response bodies that the load balancer cannot carry."""

from typing import NamedTuple, Protocol


class StoredResponse(NamedTuple):
    """The address that serves a stored body; with `accel_redirect`, the name by which the front end streams it."""

    address: str
    accel_redirect: bool


class ResponseStore(Protocol):
    """Stores response bodies that the load balancer cannot carry."""

    def put(self, body: bytes, content_type: str, origin: str) -> StoredResponse:
        """Store the body for some hours at least; `origin` is scheme and host as the client addressed them.

        Raises StoreUnavailableError.
        """
