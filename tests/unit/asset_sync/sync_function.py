"""The function that syncs image sources, over a table and a bucket of its own, against a registry of the tests."""

import io
import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from asset_sync.handler import job_of
from lambda_matchbox.aws.releases.source_table import SourceTable
from lambda_matchbox.aws.releases.store import TableReleaseStore
from lambda_matchbox.image_sync.job import Report, SyncJob
from lambda_matchbox.web.function_log import FunctionLog
from tests.rigs.stores import Stores
from tests.support.balancer_events import ROOT
from tests.support.faulty_registry import FaultyRegistry
from tests.support.images.manifests import Image
from tests.unit.image_sync.sync_subject import TAG

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client

SCHEDULE, ON_DEMAND = (
    json.loads((ROOT / "events" / f"asset-sync-{name}.json").read_text()) for name in ("schedule", "source")
)


class Clients(NamedTuple):
    """Of table and bucket."""

    dynamodb: "DynamoDBClient"
    s3: "S3Client"


class Function:
    """A function over a new table and bucket, and what it logs."""

    def __init__(
        self,
        stores: Stores,
        clients: Clients,
        registry: FaultyRegistry,
        scratch: Path,
        environment: dict[str, str],
    ) -> None:
        self.registry = registry
        self.environment = environment
        self.dynamodb, self.s3 = clients
        self._clients = stores.light_clients()
        self.sources = SourceTable(self._clients)
        self._scratch = scratch
        self._written = io.StringIO()

    def add(self, source_id: str, one: Image | None, *, stand_in: bool = False, **fields: Any) -> None:
        """A source of an image that the registry holds, unless it is None."""
        if one is not None:
            self.registry.add(source_id, TAG, one)
        image = f"{self.registry.host}/{source_id}:{TAG}"
        document = json.dumps({"id": source_id, "image": image, "assets": source_id} | fields)
        if stand_in:
            self.environment["MATCHBOX_SOURCE"] = document
        else:
            self.sources.put(source_id, document)

    def store(self, source_id: str) -> TableReleaseStore:
        return TableReleaseStore(self._clients, source_id)

    def job(self) -> SyncJob:
        made = job_of(self.environment, self._scratch)
        assert isinstance(made._log, FunctionLog)
        made._log._stream = self._written
        return made

    def run(self, event: dict[str, str]) -> Report:
        job = self.job()
        # A function keeps its connections; the registry of the tests waits for their end.
        with closing(job._downloads.registry):
            return job.run(event.get("source"))

    def served(self, source_id: str) -> str | None:
        """The digest that is served of the source."""
        pointer = self.store(source_id).pointer()
        return None if pointer is None else pointer.current

    def keys(self, prefix: str) -> list[str]:
        return [each.key for each in self._clients.objects(prefix)]

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._written.getvalue().splitlines()]
