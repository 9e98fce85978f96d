"""Image sources in a table, their releases in table and bucket."""

from pathlib import Path

from lambda_matchbox.aws.clients.light_clients import LightClients
from lambda_matchbox.aws.releases.copies import ReleaseCopies
from lambda_matchbox.aws.releases.source_table import SourceTable
from lambda_matchbox.aws.releases.store import TableReleaseStore
from lambda_matchbox.image_sync.sources import ImageSources, SourceStores, image_sources


def table_stores(
    name: str, clients: LightClients, stand_in: str, scratch: Path | None = None, *, copies_required: bool | None = None
) -> SourceStores:
    """The sources in the table, and the one in the text of STAND_IN; `name` is for messages.

    For `copies_required` see ReleaseCopies.
    """
    table = SourceTable(clients)
    copies = ReleaseCopies(clients, required=copies_required)

    def sources() -> ImageSources:
        return image_sources({source_id: text.encode() for source_id, text in table.documents().items()}, stand_in)

    return SourceStores(
        name,
        sources,
        table.pointers,
        lambda source_id: TableReleaseStore(clients, source_id, copies=copies),
        lambda _: scratch,
        copies.complete,
    )
