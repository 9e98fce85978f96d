"""The releases that boot_api serves: pointers in the table, files in the bucket."""

from lambda_matchbox.aws.assets import S3Assets
from lambda_matchbox.aws.clients.dynamodb import DynamoDB
from lambda_matchbox.aws.clients.request_deadline import deadline_within
from lambda_matchbox.aws.keys import KEY, POINTERS, pointers_in, release_prefix
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.releases.pointers import Pointers


class TableReleases:
    """Pointers in a table, files in the bucket of `assets` (see `assets.stores.Releases`)."""

    def __init__(self, dynamodb: DynamoDB, table: str, assets: S3Assets, *, call_timeout: float) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._assets = assets
        self._call_timeout = call_timeout
        self._last: Pointers | None = None

    def pointers(self) -> Pointers:
        """The pointers, read consistently; while the table is unavailable those read last, if any.

        A machine that has its script goes on then: the release it names stays the same whatever is published since.
        """
        try:
            item = self._dynamodb.get_item(self._table, {KEY: POINTERS}, deadline_within(self._call_timeout))
        except StoreUnavailableError:
            if self._last is None:
                raise
        else:
            self._last = pointers_in(item)
        return self._last

    def files(self, source_id: str, directory: str) -> S3Assets:
        """The objects in the directory."""
        return self._assets.with_prefix(release_prefix(source_id, directory))
