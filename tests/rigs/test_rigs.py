"""What the rigs' programs refuse and do, as far as the product's tests rely on it."""

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import urllib3
from botocore.exceptions import ClientError

from tests.rigs.failure import RigFailedError
from tests.rigs.moto_server import MotoService
from tests.rigs.program import running
from tests.rigs.python313 import python313_environment
from tests.rigs.service import Service
from tests.rigs.versitygw import versitygw as versitygw_rig

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef, UpdateTypeDef, WriteRequestTypeDef
    from types_boto3_s3 import S3Client


pytestmark = pytest.mark.nightly


@pytest.fixture
def dynamodb(dynamodb_local: Service) -> Iterator["DynamoDBClient"]:
    with closing(dynamodb_local.client("dynamodb")) as client:
        yield client


@pytest.fixture
def table(dynamodb: "DynamoDBClient") -> str:
    return new_table(dynamodb)


@pytest.fixture
def versity(versitygw: Service) -> Iterator["S3Client"]:
    with closing(versitygw.client("s3")) as client:
        yield client


@pytest.fixture
def swift(swift_s3: Service) -> Iterator["S3Client"]:
    with closing(swift_s3.client("s3")) as client:
        yield client


def new_table(client: "DynamoDBClient") -> str:
    name = f"table-{uuid4()}"
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def new_bucket(client: "S3Client") -> str:
    name = f"bucket-{uuid4()}"
    client.create_bucket(Bucket=name)
    return name


def presigned_kernel(client: "S3Client") -> str:
    """A presigned URL of a new object."""
    bucket = new_bucket(client)
    client.put_object(Bucket=bucket, Key="kernel", Body=b"0123456789")
    return client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "kernel"})


def fetch(url: str, method: str = "GET", headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    with urllib3.PoolManager() as pool:
        answer = pool.request(method, url, headers=headers, redirect=False, retries=False, timeout=30)
        return answer.status, answer.data


def error_code(call: Callable[..., Any], **arguments: object) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


@pytest.mark.real
def test_dynamodb_local_refuses_26_writes_in_a_batch(dynamodb: "DynamoDBClient", table: str) -> None:
    """A batch write has at most 25 items."""
    writes: list[WriteRequestTypeDef] = [{"PutRequest": {"Item": {"id": {"S": str(number)}}}} for number in range(26)]
    assert "ValidationException" == error_code(dynamodb.batch_write_item, RequestItems={table: writes})
    dynamodb.batch_write_item(RequestItems={table: writes[:25]})


@pytest.mark.real
def test_dynamodb_local_refuses_101_actions_in_a_transaction(dynamodb: "DynamoDBClient", table: str) -> None:
    """A transaction has at most 100 actions."""
    puts: list[TransactWriteItemTypeDef] = [
        {"Put": {"TableName": table, "Item": {"id": {"S": str(number)}}}} for number in range(101)
    ]
    assert "ValidationException" == error_code(dynamodb.transact_write_items, TransactItems=puts)
    dynamodb.transact_write_items(TransactItems=puts[:100])


@pytest.mark.real
def test_dynamodb_local_refuses_an_item_over_400_kilobytes(dynamodb: "DynamoDBClient", table: str) -> None:
    """An item is at most 400 * 1024 bytes, its attributes' names included."""
    most = 400 * 1024 - len("id1data")
    dynamodb.put_item(TableName=table, Item={"id": {"S": "1"}, "data": {"B": bytes(most)}})
    larger = {"id": {"S": "1"}, "data": {"B": bytes(most + 1)}}
    assert "ValidationException" == error_code(dynamodb.put_item, TableName=table, Item=larger)


@pytest.mark.real
def test_dynamodb_local_knows_a_repeated_transaction(dynamodb: "DynamoDBClient", table: str) -> None:
    """A transaction sent again with its token is not carried out again."""
    add: UpdateTypeDef = {
        "TableName": table,
        "Key": {"id": {"S": "counter"}},
        "UpdateExpression": "ADD seen :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    token = str(uuid4())
    for _ in range(2):
        dynamodb.transact_write_items(TransactItems=[{"Update": add}], ClientRequestToken=token)
    item = dynamodb.get_item(TableName=table, Key={"id": {"S": "counter"}})["Item"]
    assert {"id": {"S": "counter"}, "seen": {"N": "1"}} == item


@pytest.mark.real
def test_dynamodb_local_listens_on_one_address(dynamodb_local: Service) -> None:
    """DynamoDB Local does not listen on all addresses."""
    with pytest.raises(OSError, match=r"refused|timed out|assign"):
        socket.create_connection(("127.0.0.2", urlsplit(dynamodb_local.endpoint).port or 0), timeout=5)


@pytest.mark.real
def test_versitygw_serves_a_presigned_url_as_it_was_signed(versity: "S3Client") -> None:
    """A presigned URL gives the object; another signature, another key or no signature gives 403."""
    url = presigned_kernel(versity)
    last = "0" if url[-1] != "0" else "1"
    changed = [url[:-1] + last, url.replace("/kernel", "/kerneL"), url.partition("?")[0]]
    assert (200, b"0123456789") == fetch(url)
    assert [403, 403, 403] == [fetch(other)[0] for other in changed]


@pytest.mark.real
def test_versitygw_refuses_an_expired_presigned_url(versity: "S3Client", monkeypatch: pytest.MonkeyPatch) -> None:
    """A presigned URL of yesterday that was valid for an hour is 403."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    bucket = new_bucket(versity)
    versity.put_object(Bucket=bucket, Key="kernel", Body=b"kernel")
    with monkeypatch.context() as patched:
        patched.setattr("botocore.auth.get_current_datetime", lambda: yesterday)
        url = versity.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "kernel"}, ExpiresIn=3600)
    assert f"X-Amz-Date={yesterday:%Y%m%d}" in url
    assert 403 == fetch(url)[0]


@pytest.mark.real
def test_versitygw_refuses_head_on_the_url_of_a_get(versity: "S3Client") -> None:
    """A presigned URL is for one method."""
    url = presigned_kernel(versity)
    assert [200, 403] == [fetch(url, method)[0] for method in ("GET", "HEAD")]


@pytest.mark.real
def test_versitygw_writes_once(versity: "S3Client") -> None:
    """`If-None-Match: *` refuses to replace an object."""
    bucket = new_bucket(versity)
    versity.put_object(Bucket=bucket, Key="kernel", Body=b"first", IfNoneMatch="*")
    again = {"Bucket": bucket, "Key": "kernel", "Body": b"second", "IfNoneMatch": "*"}
    assert "PreconditionFailed" == error_code(versity.put_object, **again)
    assert b"first" == versity.get_object(Bucket=bucket, Key="kernel")["Body"].read()


@pytest.mark.real
def test_versitygw_serves_ranges(versity: "S3Client") -> None:
    """A presigned URL gives the part of the object that was asked for."""
    assert (206, b"234") == fetch(presigned_kernel(versity), headers={"Range": "bytes=2-4"})


@pytest.mark.real
def test_versitygw_verifies_sha256(versity: "S3Client") -> None:
    """An upload whose SHA-256 is another's is refused."""
    bucket = new_bucket(versity)
    other = "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="
    refused = {"Bucket": bucket, "Key": "kernel", "Body": b"kernel", "ChecksumSHA256": other}
    assert "BadDigest" == error_code(versity.put_object, **refused)


@pytest.mark.real
def test_versitygw_ends_with_its_rig() -> None:
    """Nothing of the program is left once its rig is left."""
    with versitygw_rig() as service:
        os.kill(service.pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(service.pid, 0)


@pytest.mark.real
def test_swift_takes_a_session_token(swift: "S3Client") -> None:
    """A presigned URL made with temporary credentials gives the object, and 403 for another token."""
    url = presigned_kernel(swift)
    changed = url.replace("X-Amz-Security-Token=I", "X-Amz-Security-Token=J")
    assert (200, b"0123456789") == fetch(url)
    assert changed != url
    assert 403 == fetch(changed)[0]


@pytest.mark.real
def test_swift_refuses_a_plus_for_its_escape(swift: "S3Client") -> None:
    """`%2B` that a client turned into `+`, as old iPXE does, is a blank and spoils the signature."""
    url = presigned_kernel(swift)
    assert "%2B" in url
    assert 403 == fetch(url.replace("%2B", "+"))[0]


def test_moto_forgets_all_on_reset(moto_server: MotoService) -> None:
    """After a reset there are neither tables nor buckets."""
    with closing(moto_server.client("dynamodb")) as dynamodb, closing(moto_server.client("s3")) as s3:
        new_table(dynamodb)
        s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        made = len(dynamodb.list_tables()["TableNames"]), len(s3.list_buckets()["Buckets"])
        moto_server.reset()
        left = len(dynamodb.list_tables()["TableNames"]), len(s3.list_buckets()["Buckets"])
    assert 0 not in made
    assert (0, 0) == left


def test_a_program_that_ends_is_reported_with_its_last_words(tmp_path: Path) -> None:
    """A program that ends before it serves fails the rig, and the error shows what it said."""
    with (
        running(["sh", "-c", "echo no such option; exit 3"], tmp_path, {}) as program,
        pytest.raises(RigFailedError, match=r"ended with 3:\nno such option$"),
    ):
        program.printed_port()


@pytest.mark.real
def test_python313_imports_the_functions_without_the_tools() -> None:
    """The environment for measurements is Python 3.13, has the functions' packages and not pytest."""
    question = """if True:
        import importlib.util as found, sys
        print(sys.version_info[:2], *(found.find_spec(name) is not None for name in sys.argv[1:]))"""
    asked: list[str | Path] = [python313_environment(), "-c", question, "boto3", "lambda_matchbox", "pytest", "pip"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=True, cwd="/")
    assert "(3, 13) True True False False" == answer.stdout.strip()
