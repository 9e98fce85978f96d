"""The releases that boot_api serves: pointers in the table, files in the bucket."""

from lambda_matchbox.aws.assets import S3Assets
from lambda_matchbox.aws.clients.dynamodb import DynamoDB
from lambda_matchbox.aws.clients.request_deadline import deadline_within
from lambda_matchbox.aws.clients.s3 import S3
from lambda_matchbox.aws.layout import KEY, POINTERS, pointers_in, release_prefix
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.releases.pointers import Pointers


class TableReleases:
    """Pointers in a table, files in a bucket (see `assets.stores.Releases` and `aws.assets.S3Assets`)."""

    def __init__(
        self, dynamodb: DynamoDB, s3: S3, table: str, lifetime: int, *, call_timeout: float, bucket_url: str = ""
    ) -> None:
        self._dynamodb = dynamodb
        self._s3 = s3
        self._table = table
        self._lifetime = lifetime
        self._call_timeout = call_timeout
        self._bucket_url = bucket_url
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
        return S3Assets(
            self._s3,
            self._lifetime,
            call_timeout=self._call_timeout,
            prefix=release_prefix(source_id, directory),
            bucket_url=self._bucket_url,
        )
