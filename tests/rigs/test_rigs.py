"""The behaviour of the rigs' programs that tests rely on."""

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
        response = pool.request(method, url, headers=headers, redirect=False, retries=False, timeout=30)
        return response.status, response.data


def error_code(call: Callable[..., Any], **arguments: object) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


@pytest.mark.real
def test_dynamodb_local_refuses_26_writes_in_a_batch(dynamodb: "DynamoDBClient", table: str) -> None:
    writes: list[WriteRequestTypeDef] = [{"PutRequest": {"Item": {"id": {"S": str(number)}}}} for number in range(26)]
    assert "ValidationException" == error_code(dynamodb.batch_write_item, RequestItems={table: writes})
    dynamodb.batch_write_item(RequestItems={table: writes[:25]})


@pytest.mark.real
def test_dynamodb_local_refuses_101_actions_in_a_transaction(dynamodb: "DynamoDBClient", table: str) -> None:
    puts: list[TransactWriteItemTypeDef] = [
        {"Put": {"TableName": table, "Item": {"id": {"S": str(number)}}}} for number in range(101)
    ]
    assert "ValidationException" == error_code(dynamodb.transact_write_items, TransactItems=puts)
    dynamodb.transact_write_items(TransactItems=puts[:100])


@pytest.mark.real
def test_dynamodb_local_refuses_an_item_over_400_kilobytes(dynamodb: "DynamoDBClient", table: str) -> None:
    """The limit is 400 * 1024 bytes, the attributes' names included."""
    most = 400 * 1024 - len("id1data")
    dynamodb.put_item(TableName=table, Item={"id": {"S": "1"}, "data": {"B": bytes(most)}})
    larger = {"id": {"S": "1"}, "data": {"B": bytes(most + 1)}}
    assert "ValidationException" == error_code(dynamodb.put_item, TableName=table, Item=larger)


@pytest.mark.real
def test_dynamodb_local_ignores_a_repeated_transaction(dynamodb: "DynamoDBClient", table: str) -> None:
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
    with pytest.raises(OSError, match=r"refused|timed out|assign"):
        socket.create_connection(("127.0.0.2", urlsplit(dynamodb_local.endpoint).port or 0), timeout=5)


@pytest.mark.real
def test_versitygw_verifies_presigned_urls(versity: "S3Client") -> None:
    url = presigned_kernel(versity)
    last = "0" if url[-1] != "0" else "1"
    changed = [url[:-1] + last, url.replace("/kernel", "/kerneL"), url.partition("?")[0]]
    assert (200, b"0123456789") == fetch(url)
    assert [403, 403, 403] == [fetch(other)[0] for other in changed]


@pytest.mark.real
def test_versitygw_refuses_an_expired_presigned_url(versity: "S3Client", monkeypatch: pytest.MonkeyPatch) -> None:
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
    url = presigned_kernel(versity)
    assert [200, 403] == [fetch(url, method)[0] for method in ("GET", "HEAD")]


@pytest.mark.real
def test_versitygw_obeys_if_none_match(versity: "S3Client") -> None:
    bucket = new_bucket(versity)
    versity.put_object(Bucket=bucket, Key="kernel", Body=b"first", IfNoneMatch="*")
    again = {"Bucket": bucket, "Key": "kernel", "Body": b"second", "IfNoneMatch": "*"}
    assert "PreconditionFailed" == error_code(versity.put_object, **again)
    assert b"first" == versity.get_object(Bucket=bucket, Key="kernel")["Body"].read()


@pytest.mark.real
def test_versitygw_serves_ranges(versity: "S3Client") -> None:
    assert (206, b"234") == fetch(presigned_kernel(versity), headers={"Range": "bytes=2-4"})


@pytest.mark.real
def test_versitygw_verifies_sha256(versity: "S3Client") -> None:
    bucket = new_bucket(versity)
    other = "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="
    refused = {"Bucket": bucket, "Key": "kernel", "Body": b"kernel", "ChecksumSHA256": other}
    assert "BadDigest" == error_code(versity.put_object, **refused)


@pytest.mark.real
def test_versitygw_ends_with_its_rig() -> None:
    with versitygw_rig() as service:
        os.kill(service.pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(service.pid, 0)


@pytest.mark.real
def test_swift_verifies_the_session_token(swift: "S3Client") -> None:
    url = presigned_kernel(swift)
    changed = url.replace("X-Amz-Security-Token=I", "X-Amz-Security-Token=J")
    assert (200, b"0123456789") == fetch(url)
    assert changed != url
    assert 403 == fetch(changed)[0]


@pytest.mark.real
def test_swift_refuses_a_plus_for_its_escape(swift: "S3Client") -> None:
    """Old iPXE turns `%2B` into `+`."""
    url = presigned_kernel(swift)
    assert "%2B" in url
    assert 403 == fetch(url.replace("%2B", "+"))[0]


def test_reset_empties_moto(moto_server: MotoService) -> None:
    with closing(moto_server.client("dynamodb")) as dynamodb, closing(moto_server.client("s3")) as s3:
        new_table(dynamodb)
        s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        made = len(dynamodb.list_tables()["TableNames"]), len(s3.list_buckets()["Buckets"])
        moto_server.reset()
        left = len(dynamodb.list_tables()["TableNames"]), len(s3.list_buckets()["Buckets"])
    assert 0 not in made
    assert (0, 0) == left


def test_ended_program_is_reported_with_its_output(tmp_path: Path) -> None:
    with (
        running(["sh", "-c", "echo no such option; exit 3"], tmp_path, {}) as program,
        pytest.raises(RigFailedError, match=r"ended with 3:\nno such option$"),
    ):
        program.printed_port()


@pytest.mark.real
def test_python313_environment_has_only_the_functions_packages() -> None:
    program = """if True:
        import importlib.util as found, sys
        print(sys.version_info[:2], *(found.find_spec(name) is not None for name in sys.argv[1:]))"""
    asked: list[str | Path] = [python313_environment(), "-c", program, "boto3", "lambda_matchbox", "pytest", "pip"]
    ended = subprocess.run(asked, capture_output=True, text=True, check=True, cwd="/")
    assert "(3, 13) True True False False" == ended.stdout.strip()
