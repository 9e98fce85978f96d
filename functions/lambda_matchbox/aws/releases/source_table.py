"""The documents of image sources in the table."""

from lambda_matchbox.aws.clients.light_clients import LightClients
from lambda_matchbox.aws.keys import CHECKED, POINTERS, SOURCES, pointers_in, source_name, sync_key, texts_of_sources
from lambda_matchbox.releases.pointers import Pointers


class SourceTable:
    """The documents of sources, as JSON. Every method raises StoreUnavailableError and AWSError."""

    def __init__(self, clients: LightClients) -> None:
        self._clients = clients

    def documents(self) -> dict[str, str]:
        """All documents by id."""
        return texts_of_sources(self._clients.item(SOURCES))

    def pointers(self) -> Pointers:
        """The pointers of all sources, also of removed ones."""
        return pointers_in(self._clients.item(POINTERS))

    def put(self, source_id: str, document: str) -> None:
        """Add or replace the source; it is due at once."""
        self._update("SET #source = :document", source_id, {":document": document})
        self._forget_check(source_id)

    def delete(self, source_id: str) -> None:
        """Remove the source; if it is added again, it is due at once."""
        self._update("REMOVE #source", source_id, {})
        self._forget_check(source_id)

    def _forget_check(self, source_id: str) -> None:
        self._clients.update(sync_key(source_id), "REMOVE #checked", {"#checked": CHECKED}, {})

    def _update(self, expression: str, source_id: str, values: dict[str, str]) -> None:
        self._clients.update(SOURCES, expression, {"#source": source_name(source_id)}, values)
