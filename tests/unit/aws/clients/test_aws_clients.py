"""The light clients of DynamoDB and S3 answer completely and in time, or say that the store is away."""

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from lambda_matchbox.aws.clients.dynamodb import DynamoDB
from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.http_connection import HttpResponse
from lambda_matchbox.aws.clients.s3 import S3, ObjectListing
from lambda_matchbox.aws.clients.sigv4 import Credentials
from lambda_matchbox.errors import StoreUnavailableError
from tests.rigs.faults import INTERNAL_ERROR, SLOW_DOWN, THROTTLED, Fault, Hang, PassThrough, Refuse, Respond, Withhold
from tests.rigs.moto_server import MotoService
from tests.rigs.service import REGION
from tests.rigs.tcp_fault import FaultProxy, fault_proxy

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client

SOON = 0.4
"""Seconds in which a store that stays broken is given up."""

ENOUGH = 60.0
"""Seconds in which any machine gets a response."""

FAILURES = [THROTTLED, INTERNAL_ERROR, SLOW_DOWN, Hang()]
FAILURE_NAMES = ["throttled", "500", "503", "hanging"]
NOTHING_PROCESSED = Respond(
    200,
    "OK",
    "application/x-amz-json-1.0",
    b'{"Responses":{},"UnprocessedKeys":{"machines":{"Keys":[{"id":{"S":"node-0"}}],"ConsistentRead":true}}}',
)
EXPIRED = b'{"__type":"com.amazon.coral.service#InvalidSignatureException","message":"Signature expired: yesterday"}'
SKEWED = b"<Error><Code>RequestTimeTooSkewed</Code><Message>The difference is too large.</Message></Error>"


def within(seconds: float) -> float:
    return time.monotonic() + seconds


def credentials() -> Credentials:
    return Credentials("AKIAFAKE", "fake")


@pytest.fixture
def http_client() -> Iterator[HttpClient]:
    with closing(HttpClient(read_timeout=0.2)) as client:
        yield client


@pytest.fixture
def long_timeout() -> Iterator[HttpClient]:
    """For what a loaded machine may take long over."""
    with closing(HttpClient(connect_timeout=ENOUGH, read_timeout=ENOUGH)) as client:
        yield client


@pytest.fixture(scope="module")
def tables(moto_server: MotoService) -> Iterator["DynamoDBClient"]:
    with closing(moto_server.client("dynamodb")) as client:
        yield client


@pytest.fixture(scope="module")
def buckets(moto_server: MotoService) -> Iterator["S3Client"]:
    with closing(moto_server.client("s3")) as client:
        yield client


@pytest.fixture
def proxy(moto_server: MotoService, tables: "DynamoDBClient", buckets: "S3Client") -> Iterator[FaultProxy]:
    """In front of moto with the table `machines`, `node-1` in it, and the bucket `assets`."""
    moto_server.reset()
    tables.create_table(
        TableName="machines",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    tables.put_item(TableName="machines", Item={"id": {"S": "node-1"}})
    buckets.create_bucket(Bucket="assets", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    with fault_proxy(moto_server.endpoint) as proxy:
        yield proxy


@pytest.fixture
def dynamodb(proxy: FaultProxy, long_timeout: HttpClient) -> DynamoDB:
    return DynamoDB(proxy.endpoint, REGION, credentials, long_timeout)


@pytest.fixture
def many(proxy: FaultProxy, tables: "DynamoDBClient") -> None:
    """The nodes up to `node-249` in the table."""
    for start in range(0, 250, 25):
        puts: list[Any] = [{"PutRequest": {"Item": {"id": {"S": f"node-{n}"}}}} for n in range(start, start + 25)]
        tables.batch_write_item(RequestItems={"machines": puts})


@pytest.fixture
def s3(proxy: FaultProxy, long_timeout: HttpClient) -> S3:
    return S3(proxy.endpoint, REGION, "assets", credentials, long_timeout)


def test_missing_item_is_none(dynamodb: DynamoDB) -> None:
    assert {"id": "node-1"} == dynamodb.get_item("machines", {"id": "node-1"}, within(ENOUGH))
    assert dynamodb.get_item("machines", {"id": "other"}, within(ENOUGH)) is None


class Forgetful(HttpClient):
    """Puts all keys of the first batch off, then has nothing; writes down what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Any] = []

    def request(self, method: str, url: str, headers: Any, body: Any, *_: object) -> HttpResponse:
        self.requests.append(json.loads(body or b""))
        unprocessed = self.requests[-1].get("RequestItems", {}) if len(self.requests) == 1 else {}
        tables = {name: {"Keys": wanted["Keys"]} for name, wanted in unprocessed.items()}
        return HttpResponse(200, {}, json.dumps({"Responses": {}, "UnprocessedKeys": tables}).encode())


def test_reads_are_strongly_consistent() -> None:
    """Retries of unprocessed keys too."""
    http = Forgetful()
    dynamodb = DynamoDB("http://store", REGION, credentials, http)
    assert [] == dynamodb.batch_get_items("machines", "id", ["a"], within(ENOUGH))
    assert dynamodb.get_item("machines", {"id": "a"}, within(ENOUGH)) is None
    key = {"id": {"S": "a"}}
    batch = {"RequestItems": {"machines": {"Keys": [key], "ConsistentRead": True}}}
    assert [batch, batch, {"TableName": "machines", "Key": key, "ConsistentRead": True}] == http.requests


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(("count", "calls"), [(0, 0), (1, 1), (100, 1), (101, 2), (250, 3)])
def test_each_100_keys_are_one_call(proxy: FaultProxy, dynamodb: DynamoDB, count: int, calls: int) -> None:
    keys = [f"node-{n}" for n in range(1, count)] + ["other"] * (count > 0)
    items = dynamodb.batch_get_items("machines", "id", keys, within(ENOUGH))
    assert sorted(f"node-{n}" for n in range(1, count)) == sorted(item["id"] for item in items)
    assert calls == proxy.requests()["BatchGetItem"]


@pytest.mark.usefixtures("many")
def test_unprocessed_keys_are_retried(proxy: FaultProxy, dynamodb: DynamoDB) -> None:
    proxy.switch(Withhold(keys=40), times=2)
    keys = [f"node-{n}" for n in range(100)]
    items = dynamodb.batch_get_items("machines", "id", keys, within(ENOUGH))
    assert sorted(keys) == sorted(item["id"] for item in items)
    assert 3 == proxy.requests()["BatchGetItem"]


@pytest.mark.parametrize("fault", [NOTHING_PROCESSED, *FAILURES], ids=["unprocessed", *FAILURE_NAMES])
def test_batch_is_never_partial(proxy: FaultProxy, http_client: HttpClient, fault: Fault) -> None:
    proxy.switch(fault)
    dynamodb = DynamoDB(proxy.endpoint, REGION, credentials, http_client)
    with pytest.raises(StoreUnavailableError):
        dynamodb.batch_get_items("machines", "id", [f"node-{n}" for n in range(150)], within(SOON))


@pytest.mark.usefixtures("many")
def test_one_failed_batch_fails_all(proxy: FaultProxy, dynamodb: DynamoDB) -> None:
    refusal = Respond(400, "Bad Request", "application/x-amz-json-1.0", b'{"__type":"x#ValidationException"}')
    proxy.switch(refusal, times=1)
    with pytest.raises(AWSError, match="ValidationException"):
        dynamodb.batch_get_items("machines", "id", [f"node-{n}" for n in range(250)], within(ENOUGH))


@pytest.mark.parametrize("fault", FAILURES, ids=FAILURE_NAMES)
def test_failure_that_ends_before_the_deadline_is_invisible(proxy: FaultProxy, fault: Fault) -> None:
    proxy.switch(fault, times=2)
    # Silence needs a time-out to be noticed; the other failures can wait for a slow machine.
    with closing(HttpClient(read_timeout=1.0 if fault == Hang() else ENOUGH)) as http:
        dynamodb = DynamoDB(proxy.endpoint, REGION, credentials, http)
        assert {"id": "node-1"} == dynamodb.get_item("machines", {"id": "node-1"}, within(ENOUGH))
    assert proxy.requests()["GetItem"] >= 3


def test_refused_connections_are_retried_until_the_deadline(proxy: FaultProxy, dynamodb: DynamoDB) -> None:
    assert dynamodb.get_item("machines", {"id": "node-1"}, within(ENOUGH)) is not None
    proxy.switch(Refuse())
    with pytest.raises(StoreUnavailableError):
        dynamodb.get_item("machines", {"id": "node-1"}, within(SOON))
    healing = threading.Timer(SOON, proxy.switch, [PassThrough()])
    healing.start()
    try:
        assert {"id": "node-1"} == dynamodb.get_item("machines", {"id": "node-1"}, within(ENOUGH))
    finally:
        healing.join()


@pytest.mark.parametrize("body", [EXPIRED, SKEWED], ids=["DynamoDB", "S3"])
def test_rejected_signature_time_is_not_retried(proxy: FaultProxy, dynamodb: DynamoDB, body: bytes) -> None:
    proxy.switch(Respond(403, "Forbidden", "text/plain", body))
    with pytest.raises(StoreUnavailableError, match="time of the signature"):
        dynamodb.get_item("machines", {"id": "node-1"}, within(ENOUGH))
    assert 1 == proxy.requests()["GetItem"]


def test_refusal_has_the_code_and_is_not_retried(proxy: FaultProxy, dynamodb: DynamoDB) -> None:
    with pytest.raises(AWSError) as caught:
        dynamodb.get_item("nowhere", {"id": "node-1"}, within(ENOUGH))
    assert ("ResourceNotFoundException", 400) == (caught.value.code, caught.value.status)
    assert 1 == proxy.requests()["GetItem"]


def test_object_round_trip(s3: S3) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    s3.put("dir/a b+ü", b"0123456789", "text/plain", within(ENOUGH))
    head = s3.head("dir/a b+ü", within(ENOUGH))
    assert head is not None
    assert (10, "text/plain", '"781e5e245d69b566979b86e28d23f2c7"') == head[:3]
    assert head.last_modified is not None
    assert before <= head.last_modified
    parts = [s3.get("dir/a b+ü", *span, within(ENOUGH)) for span in [(0, 3), (8, 2), (8, 50), (10, 1)]]
    assert [b"012", b"89", b"89", b""] == parts


def test_empty_object_exists(s3: S3) -> None:
    s3.put("empty", b"", "text/plain", within(ENOUGH))
    assert b"" == s3.get("empty", 0, 100, within(ENOUGH))


def test_missing_key_is_none_and_missing_bucket_an_error(s3: S3, proxy: FaultProxy, long_timeout: HttpClient) -> None:
    assert s3.head("none", within(ENOUGH)) is None
    assert s3.get("none", 0, 1, within(ENOUGH)) is None
    with pytest.raises(AWSError, match="NoSuchBucket"):
        S3(proxy.endpoint, REGION, "nowhere", credentials, long_timeout).get("none", 0, 1, within(ENOUGH))


@pytest.mark.parametrize(("start", "length"), [(-1, 1), (0, 0)])
def test_invalid_range_is_refused(s3: S3, start: int, length: int) -> None:
    with pytest.raises(ValueError, match="invalid range"):
        s3.get("any", start, length, within(ENOUGH))


@pytest.mark.parametrize("status", [400, 403])
def test_only_404_means_missing(s3: S3, proxy: FaultProxy, status: int) -> None:
    proxy.switch(Respond(status, "No", "text/plain", b""))
    with pytest.raises(AWSError) as caught:
        s3.head("any", within(ENOUGH))
    assert status == caught.value.status


def test_listing_has_objects_and_prefixes(s3: S3) -> None:
    for key in ("a/b+c & <d>", "a/é", "a/sub dir/x", "a/sub dir/y", "ab"):
        s3.put(key, b"123", "text/plain", within(ENOUGH))
    assert ObjectListing(["a/b+c & <d>", "a/é"], ["a/sub dir/"]) == s3.list("a/", within(ENOUGH))
    assert ObjectListing([], []) == s3.list("none/", within(ENOUGH))


@pytest.mark.parametrize("fault", [INTERNAL_ERROR, SLOW_DOWN], ids=["500", "503"])
def test_s3_failures_are_retried_until_the_deadline(s3: S3, proxy: FaultProxy, fault: Fault) -> None:
    s3.put("key", b"body", "text/plain", within(ENOUGH))
    for method in (s3.head, s3.list):
        proxy.switch(fault, times=1)
        assert method("key", deadline=within(ENOUGH)) is not None
        proxy.switch(fault)
        with pytest.raises(StoreUnavailableError):
            method("key", deadline=within(SOON))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_presigned_url_works_on_an_endpoint(s3: S3, scheme: str) -> None:
    """One of http has no https, for which a client of https would be redirected."""
    s3.put("dir/a b", b"body", "text/x-ipxe", within(ENOUGH))
    url = s3.presigned_get("dir/a b", scheme, 60)
    with urllib.request.urlopen(url, timeout=ENOUGH) as response:
        assert (b"body", "text/x-ipxe") == (response.read(), response.headers["content-type"])
