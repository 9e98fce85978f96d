"""Long templates and metadata in the bucket."""

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from lambda_matchbox.aws.catalog.items import MAX_INLINE_SIZE, ObjectRef, template_record
from lambda_matchbox.aws.catalog.object_cache import MAX_CACHED_BYTES, ObjectCache
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.http_connection import HttpResponse
from lambda_matchbox.aws.clients.s3 import S3
from lambda_matchbox.aws.clients.sigv4 import Credentials
from lambda_matchbox.errors import StoreUnavailableError
from tests.rigs.catalog_table import ENOUGH, CatalogTable
from tests.rigs.service import Service

LONG = b"x" * (MAX_INLINE_SIZE + 1)


class Counting(HttpClient):
    """Knows which paths it was asked for."""

    def __init__(self) -> None:
        super().__init__(connect_timeout=ENOUGH, read_timeout=ENOUGH)
        self.asked: list[str] = []

    def request(self, method: str, url: str, *rest: Any) -> HttpResponse:
        self.asked.append(f"{method} {url.rpartition('/')[2]}")
        return super().request(method, url, *rest)


class Bucket:
    """A bucket on moto, what is read from it, and what was asked of it."""

    def __init__(self, service: Service, http: Counting, table: CatalogTable) -> None:
        self.http = http
        self.table = table
        credentials = Credentials(service.access_key, service.secret_key, service.session_token)
        self.objects = ObjectCache(S3(service.endpoint, service.region, table.name, lambda: credentials, http))

    def put(self, name: str, size: int) -> ObjectRef:
        self.table.s3_client.put_object(Bucket=self.table.name, Key=name, Body=bytes(size))
        return ObjectRef(name, size)

    def read(self, far: ObjectRef) -> bytes:
        return self.objects.read(far, time.monotonic() + ENOUGH)


@pytest.fixture
def bucket(moto_server: Service) -> Iterator[Bucket]:
    with (
        closing(Counting()) as http,
        closing(moto_server.client("dynamodb")) as dynamodb,
        closing(moto_server.client("s3")) as s3,
        closing(CatalogTable(moto_server, dynamodb, moto_server, s3, http)) as table,
    ):
        yield Bucket(moto_server, http, table)


def test_object_is_read_once(bucket: Bucket) -> None:
    far = bucket.put("a", 100)
    assert [bytes(100)] * 3 == [bucket.read(far) for _ in range(3)]
    assert ["GET a"] == bucket.http.asked


def test_least_recently_used_object_is_evicted(bucket: Bucket) -> None:
    third = MAX_CACHED_BYTES // 3
    first, second, last = (bucket.put(name, third) for name in "abc")
    for far in (first, second, last, first, bucket.put("d", third), first, second):
        bucket.read(far)
    assert ["GET a", "GET b", "GET c", "GET d", "GET b"] == bucket.http.asked


@pytest.mark.parametrize("size", [99, None])
def test_lost_or_short_object_is_an_error_with_its_key(bucket: Bucket, size: int | None) -> None:
    if size is not None:
        bucket.put("a", size)
    with pytest.raises(StoreUnavailableError, match=r"'a'.*fsck"):
        bucket.read(ObjectRef("a", 100))


def test_rewritten_template_is_read_at_once(bucket: Bucket) -> None:
    reader = bucket.table.reader()
    for body in (LONG, LONG + b"y", b"short", LONG):
        bucket.table.writer.put_template("generic", "t", body)
        assert body == reader.template("generic", "t")
    assert {} == template_record("generic", "t", LONG[1:]).objects
