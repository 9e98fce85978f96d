"""The light clients against services that hold them to the rules: DynamoDB Local, versitygw and Swift's S3."""

import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest

from lambda_matchbox.aws.clients.dynamodb import DynamoDB
from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.s3 import S3, ObjectListing
from lambda_matchbox.aws.clients.sigv4 import Credentials
from lambda_matchbox.errors import StoreUnavailableError
from tests.rigs.faults import INTERNAL_ERROR, THROTTLED, Withhold
from tests.rigs.service import Service
from tests.rigs.tcp_fault import fault_proxy

pytestmark = pytest.mark.real

ENOUGH = 60.0
"""Seconds in which any machine gets a response."""

TABLE = "light-clients"
BUCKET = "light-clients"
STRANGE = ["a+b", "a b", "a/é & <d>", "a/%41", "a/~'()*!", "a/sub dir/x"]
"""Keys that need encoding, sorted by their directory."""


def within(seconds: float) -> float:
    return time.monotonic() + seconds


def credentials_of(service: Service) -> Credentials:
    return Credentials(service.access_key, service.secret_key, service.session_token)


@pytest.fixture(scope="module")
def http() -> Iterator[HttpClient]:
    with closing(HttpClient(connect_timeout=ENOUGH, read_timeout=ENOUGH)) as client:
        yield client


@pytest.fixture(scope="module")
def table(dynamodb_local: Service) -> Iterator[Service]:
    """DynamoDB Local with a table of 250 nodes, and `all` with a value of each type."""
    with closing(dynamodb_local.client("dynamodb")) as dynamodb:
        dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        for start in range(0, 250, 25):
            puts: list[Any] = [{"PutRequest": {"Item": {"id": {"S": f"node-{n}"}}}} for n in range(start, start + 25)]
            dynamodb.batch_write_item(RequestItems={TABLE: puts})
        dynamodb.put_item(
            TableName=TABLE,
            Item={
                "id": {"S": "all"},
                "whole": {"N": "-12"},
                "fraction": {"N": "1.50"},
                "bytes": {"B": b"\x00\xff"},
                "map": {"M": {"ü": {"L": [{"BOOL": True}, {"NULL": True}, {"S": ""}]}}},
            },
        )
        yield dynamodb_local
        dynamodb.delete_table(TableName=TABLE)


@pytest.fixture(scope="module")
def bucket(versitygw: Service, http: HttpClient) -> S3:
    """A bucket on versitygw with the strange keys."""
    with closing(versitygw.client("s3")) as client:
        client.create_bucket(Bucket=BUCKET)
    s3 = S3(versitygw.endpoint, versitygw.region, BUCKET, lambda: credentials_of(versitygw), http)
    for key in STRANGE:
        s3.put(key, key.encode(), "text/x-test", within(ENOUGH))
    return s3


def fetched(url: str, method: str = "GET") -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=ENOUGH) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b""


def test_every_type(table: Service, http: HttpClient) -> None:
    """DynamoDB's own wire form is read as plain values."""
    dynamodb = DynamoDB(table.endpoint, table.region, lambda: credentials_of(table), http)
    expected = {
        "id": "all",
        "whole": -12,
        "fraction": Decimal("1.5"),
        "bytes": b"\x00\xff",
        "map": {"ü": [True, None, ""]},
    }
    assert expected == dynamodb.get_item(TABLE, {"id": "all"}, within(ENOUGH))
    assert dynamodb.get_item(TABLE, {"id": "none"}, within(ENOUGH)) is None


def test_many_keys(table: Service, http: HttpClient) -> None:
    """More keys than a call takes are all answered, through throttling, failures and unprocessed keys."""
    keys = [f"node-{n}" for n in range(250)]
    with fault_proxy(table.endpoint) as proxy:
        dynamodb = DynamoDB(proxy.endpoint, table.region, lambda: credentials_of(table), http)
        for fault in (THROTTLED, INTERNAL_ERROR, Withhold(keys=30)):
            proxy.forget_requests()
            proxy.switch(fault, times=3)
            items = dynamodb.batch_get_items(TABLE, "id", [*keys, "none"], within(ENOUGH))
            assert sorted(keys) == sorted(item["id"] for item in items)
            assert 6 == proxy.requests()["BatchGetItem"]


def test_throttled_for_long(table: Service, http: HttpClient) -> None:
    """Throttling that outlasts the deadline makes the store unavailable."""
    with fault_proxy(table.endpoint) as proxy:
        proxy.switch(THROTTLED)
        dynamodb = DynamoDB(proxy.endpoint, table.region, lambda: credentials_of(table), http)
        # A machine that is busy for all of the shortest time hears nothing.
        for seconds in (0.5, 4, 16):
            with pytest.raises(StoreUnavailableError) as caught:
                dynamodb.batch_get_items(TABLE, "id", ["node-1", "node-2"], within(seconds))
            if "ProvisionedThroughputExceededException" in str(caught.value):
                return
    pytest.fail(str(caught.value))


def test_doubled_keys(table: Service, http: HttpClient) -> None:
    """Doubled keys are refused by DynamoDB, and the error says so."""
    dynamodb = DynamoDB(table.endpoint, table.region, lambda: credentials_of(table), http)
    with pytest.raises(AWSError) as caught:
        dynamodb.batch_get_items(TABLE, "id", ["node-1", "node-1"], within(ENOUGH))
    assert ("ValidationException", 400) == (caught.value.code, caught.value.status)


@pytest.mark.parametrize("key", STRANGE)
def test_strange_keys(bucket: S3, key: str) -> None:
    """Signatures and addresses hold for keys that need encoding, in headers and in presigned URLs."""
    head = bucket.head(key, within(ENOUGH))
    assert head is not None
    assert (len(key.encode()), "text/x-test") == head[:2]
    assert key.encode()[1:3] == bucket.get(key, 1, 2, within(ENOUGH))
    assert (200, key.encode()) == fetched(bucket.presigned_get(key, "http", 60))


def test_listing(bucket: S3) -> None:
    """Listed keys are those that were put."""
    assert ObjectListing(sorted(STRANGE[:2]), ["a/"]) == bucket.list("", within(ENOUGH))
    assert ObjectListing(sorted(STRANGE[2:5]), ["a/sub dir/"]) == bucket.list("a/", within(ENOUGH))


def test_listing_of_many_pages(bucket: S3) -> None:
    """A listing goes on after the 1,000 keys of a page."""
    keys = [f"many/{n:04d}" for n in range(1001)]
    for key in keys:
        bucket.put(key, b"", "text/plain", within(ENOUGH))
    assert keys == bucket.list("many/", within(ENOUGH)).keys


def test_past_the_end(bucket: S3) -> None:
    """Bytes after the end of an object are none; of an empty object, too."""
    bucket.put("empty/object", b"", "text/plain", within(ENOUGH))
    assert b"" == bucket.get("empty/object", 0, 10, within(ENOUGH))
    assert b"" == bucket.get("a b", 3, 10, within(ENOUGH))
    assert b" b" == bucket.get("a b", 1, 10, within(ENOUGH))


def test_missing(bucket: S3) -> None:
    """A missing key is None, also below a key that is an object."""
    for key in ("none", "none/below", "a b/below"):
        assert bucket.head(key, within(ENOUGH)) is None
        assert bucket.get(key, 0, 1, within(ENOUGH)) is None


def test_presigned_url_is_for_get_and_for_a_time(bucket: S3) -> None:
    """A presigned URL refuses HEAD, another key, and an hour after its time is over."""
    url = bucket.presigned_get("a b", "http", 60)
    assert 403 == fetched(url, "HEAD")[0]
    assert 403 == fetched(url.replace("a%20b", "a%2Bb"))[0]
    with patch("lambda_matchbox.aws.clients.s3.time.time", return_value=time.time() - 3600):
        expired = bucket.presigned_get("a b", "http", 60)
    assert 403 == fetched(expired)[0]


def test_wrong_secret(versitygw: Service, bucket: S3, http: HttpClient) -> None:
    """A wrong secret is an error and no reason to ask later."""
    wrong = Credentials(versitygw.access_key, "wrong")
    s3 = S3(versitygw.endpoint, versitygw.region, BUCKET, lambda: wrong, http)
    with pytest.raises(AWSError) as caught:
        s3.get("a b", 0, 1, within(ENOUGH))
    assert ("SignatureDoesNotMatch", 403) == (caught.value.code, caught.value.status)


def test_session_token(swift_s3: Service, http: HttpClient) -> None:
    """A session token is part of signed headers and of presigned URLs."""
    with closing(swift_s3.client("s3")) as client:
        client.create_bucket(Bucket=BUCKET)
    s3 = S3(swift_s3.endpoint, swift_s3.region, BUCKET, lambda: credentials_of(swift_s3), http)
    s3.put("a b", b"body", "text/plain", within(ENOUGH))
    assert b"od" == s3.get("a b", 1, 2, within(ENOUGH))
    assert (200, b"body") == fetched(s3.presigned_get("a b", "http", 60))
