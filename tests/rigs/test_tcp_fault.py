"""The fault proxy."""

import http.client
import http.server
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.rigs.faults import INTERNAL_ERROR, SLOW_DOWN, THROTTLED, Delay, Hang, PassThrough, Refuse, Withhold
from tests.rigs.moto_server import MotoService
from tests.rigs.service import Service
from tests.rigs.tcp_fault import FaultProxy, fault_proxy
from tests.support.server_threads import in_thread

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import KeysAndAttributesTypeDef
    from types_boto3_s3 import S3Client


pytestmark = pytest.mark.nightly


TIMEOUT = 60.0
"""Seconds in which what a test waits for has happened."""

ITEM = {"id": {"S": "node"}}


@pytest.fixture
def proxy(moto_server: MotoService) -> Iterator[FaultProxy]:
    moto_server.reset()
    with fault_proxy(moto_server.endpoint) as proxy:
        yield proxy


@pytest.fixture
def dynamodb(moto_server: MotoService, proxy: FaultProxy) -> Iterator["DynamoDBClient"]:
    """A client through the proxy, of a service that has the table `machines`."""
    with closing(replace(moto_server, endpoint=proxy.endpoint).client("dynamodb")) as client:
        make_table(client)
        proxy.forget_requests()
        yield client


@pytest.fixture
def s3(moto_server: MotoService, proxy: FaultProxy) -> Iterator["S3Client"]:
    """A client through the proxy, of a service that has the bucket `assets`."""
    with closing(replace(moto_server, endpoint=proxy.endpoint).client("s3")) as client:
        client.create_bucket(Bucket="assets", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        proxy.forget_requests()
        yield client


@pytest.fixture
def short_timeout(moto_server: MotoService, proxy: FaultProxy) -> Iterator["DynamoDBClient"]:
    """A client through the proxy that gives up after a second."""
    with closing(replace(moto_server, endpoint=proxy.endpoint).client("dynamodb", Config(read_timeout=1))) as client:
        yield client


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds."""
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def make_table(client: "DynamoDBClient") -> None:
    client.create_table(
        TableName="machines",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


class Pieces(http.server.BaseHTTPRequestHandler):
    """Answers with the request's body, in chunks and on a connection that stays."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in (body[:3], body[3:], b""):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def pieces_server() -> Iterator[str]:
    with in_thread(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pieces)) as server:
        yield f"http://127.0.0.1:{server.server_port}"


def test_passes_through_and_counts_by_operation(proxy: FaultProxy, dynamodb: "DynamoDBClient") -> None:
    dynamodb.put_item(TableName="machines", Item=ITEM)
    assert ITEM == dynamodb.get_item(TableName="machines", Key=ITEM)["Item"]
    dynamodb.get_item(TableName="machines", Key=ITEM)
    assert Counter({"GetItem": 2, "PutItem": 1}) == proxy.requests()


def test_passes_large_objects_through(proxy: FaultProxy, s3: "S3Client") -> None:
    content = bytes(range(256)) * 20_000
    s3.put_object(Bucket="assets", Key="initramfs", Body=content)
    assert content == s3.get_object(Bucket="assets", Key="initramfs")["Body"].read()
    assert Counter({"PUT": 1, "GET": 1}) == proxy.requests()


def test_keeps_connections_and_chunks() -> None:
    with pieces_server() as upstream, fault_proxy(upstream) as proxy:
        with closing(http.client.HTTPConnection(urlsplit(proxy.endpoint).netloc, timeout=30)) as connection:
            connection.connect()
            first = connection.sock
            responses = []
            for body in (b"chained", b"booted"):
                connection.request("POST", "/", body)
                responses.append(connection.getresponse().read())
            assert first is connection.sock
        assert [b"chained", b"booted"] == responses


def test_refuses_connections_and_serves_again(proxy: FaultProxy, dynamodb: "DynamoDBClient") -> None:
    address = urlsplit(proxy.endpoint)
    proxy.switch(Refuse())
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.hostname, address.port))
    proxy.switch(PassThrough())
    assert ["machines"] == dynamodb.list_tables()["TableNames"]


def test_refusing_cuts_open_connections(proxy: FaultProxy) -> None:
    address = urlsplit(proxy.endpoint)
    with closing(http.client.HTTPConnection(address.netloc, timeout=30)) as connection:
        proxy.switch(THROTTLED)
        connection.request("GET", "/")
        assert 400 == connection.getresponse().status
        proxy.switch(Refuse())
        assert b"" == connection.sock.recv(1)


def test_refusing_cannot_be_limited(proxy: FaultProxy) -> None:
    """Refused connections are not counted."""
    with pytest.raises(ValueError, match="cannot be counted"):
        proxy.switch(Refuse(), times=1)


def test_hangs_until_switched(proxy: FaultProxy, dynamodb: "DynamoDBClient", short_timeout: "DynamoDBClient") -> None:
    proxy.switch(Hang(), times=1)
    with pytest.raises(ReadTimeoutError):
        short_timeout.list_tables()
    eventually(lambda: Counter({"ListTables": 1}) == proxy.requests())
    assert ["machines"] == dynamodb.list_tables()["TableNames"]
    assert Counter({"ListTables": 2}) == proxy.requests()


def test_delayed_request_is_carried_out(
    proxy: FaultProxy, dynamodb: "DynamoDBClient", short_timeout: "DynamoDBClient"
) -> None:
    proxy.switch(Delay(seconds=600), times=1)
    with pytest.raises(ReadTimeoutError):
        short_timeout.put_item(TableName="machines", Item=ITEM)
    eventually(lambda: Counter({"PutItem": 1}) == proxy.requests())
    eventually(lambda: ITEM == dynamodb.get_item(TableName="machines", Key=ITEM).get("Item"))


def test_delayed_response_arrives(proxy: FaultProxy, dynamodb: "DynamoDBClient") -> None:
    proxy.switch(Delay(seconds=0.05))
    assert ["machines"] == dynamodb.list_tables()["TableNames"]


def test_throttles_as_dynamodb_does(proxy: FaultProxy, dynamodb: "DynamoDBClient") -> None:
    proxy.switch(THROTTLED, times=2)
    for _ in range(2):
        with pytest.raises(dynamodb.exceptions.ProvisionedThroughputExceededException):
            dynamodb.list_tables()
    assert ["machines"] == dynamodb.list_tables()["TableNames"]


def test_boto3_retries_a_throttled_request(
    proxy: FaultProxy, moto_server: MotoService, dynamodb: "DynamoDBClient"
) -> None:
    twice = Config(retries={"total_max_attempts": 2, "mode": "standard"})
    with closing(replace(moto_server, endpoint=proxy.endpoint).client("dynamodb", twice)) as retrying:
        proxy.switch(THROTTLED, times=1)
        assert ["machines"] == retrying.list_tables()["TableNames"]
    assert Counter({"ListTables": 2}) == proxy.requests()


def test_slows_down_as_s3_does(proxy: FaultProxy, s3: "S3Client") -> None:
    proxy.switch(SLOW_DOWN)
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket="assets", Key="kernel", Body=b"kernel")
    assert "SlowDown" == caught.value.response["Error"]["Code"]


def test_fails_with_500(proxy: FaultProxy, dynamodb: "DynamoDBClient", s3: "S3Client") -> None:
    proxy.switch(INTERNAL_ERROR)
    for call in (dynamodb.list_tables, s3.list_buckets):
        with pytest.raises(ClientError) as caught:
            call()
        assert 500 == caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_withholds_keys_of_a_batch(proxy: FaultProxy, dynamodb: "DynamoDBClient") -> None:
    check_withholding(proxy, dynamodb)


@pytest.mark.real
def test_withholds_keys_of_dynamodb_local(dynamodb_local: Service) -> None:
    """boto3 compares the response's checksum."""
    with fault_proxy(dynamodb_local.endpoint) as proxy:
        isolated = replace(dynamodb_local, endpoint=proxy.endpoint, access_key="withholding")
        with closing(isolated.client("dynamodb")) as client:
            make_table(client)
            check_withholding(proxy, client)


def check_withholding(proxy: FaultProxy, dynamodb: "DynamoDBClient") -> None:
    keys = [{"id": {"S": name}} for name in ("first", "second", "third")]
    for key in keys:
        dynamodb.put_item(TableName="machines", Item={**key, "data": {"S": "x"}})
    proxy.switch(Withhold(keys=2), times=1)
    wanted: KeysAndAttributesTypeDef = {
        "Keys": keys,
        "ProjectionExpression": "#d",
        "ExpressionAttributeNames": {"#d": "data"},
    }
    response = dynamodb.batch_get_item(RequestItems={"machines": wanted})
    assert {"machines": [{"data": {"S": "x"}}]} == response["Responses"]
    assert {"machines": {**wanted, "Keys": keys[1:]}} == response["UnprocessedKeys"]
    again = dynamodb.batch_get_item(RequestItems=response["UnprocessedKeys"])
    assert 2 == len(again["Responses"]["machines"])
    assert {} == again["UnprocessedKeys"]


def test_never_withholds_a_whole_batch(proxy: FaultProxy, dynamodb: "DynamoDBClient") -> None:
    proxy.switch(Withhold(keys=5))
    response = dynamodb.batch_get_item(RequestItems={"machines": {"Keys": [ITEM]}})
    assert ({"machines": []}, {}) == (response["Responses"], response["UnprocessedKeys"])
