"""Files of releases in S3: stored whole or not at all, copied within the bucket."""

import base64
import hashlib
import math
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from lambda_matchbox.aws.clients import s3
from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.http_connection import HttpResponse
from lambda_matchbox.aws.clients.light_clients import retrying_http
from lambda_matchbox.aws.clients.s3 import S3
from lambda_matchbox.aws.clients.sigv4 import Credentials
from lambda_matchbox.backoff import Backoff
from lambda_matchbox.errors import StoreUnavailableError
from tests.rigs.faults import SLOW_DOWN
from tests.rigs.moto_server import MotoService
from tests.rigs.service import REGION

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

BODY = b"kernel" * 100_000
DIGEST = hashlib.sha256(BODY).hexdigest()
ERROR = b"<?xml version='1.0'?>\n<Error><Code>InternalError</Code><Message>try again</Message></Error>"


class Responder(HttpClient):
    """Gives these responses in turn, and keeps the bodies of what it is sent."""

    def __init__(self, *responses: tuple[int, bytes]) -> None:
        super().__init__(backoff=Backoff(0, 0), attempts=3)
        self.responses = list(responses)
        self.sent: list[tuple[Mapping[str, str], bytes]] = []

    def _attempt(
        self, origin: str, method: str, target: str, headers: Mapping[str, str], body: Any, *_: object
    ) -> HttpResponse:
        self.sent.append((headers, b"".join(body or ())))
        status, response = self.responses.pop(0)
        return HttpResponse(status, {}, response)


def bucket(http: HttpClient) -> S3:
    return S3("http://store", REGION, "assets", lambda: Credentials("AKIAFAKE", "fake"), http)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "vmlinuz"
    made.write_bytes(BODY)
    return made


@pytest.fixture(scope="module")
def buckets(moto_server: MotoService) -> Iterator["S3Client"]:
    with closing(moto_server.client("s3")) as client:
        yield client


def test_each_attempt_sends_the_whole_file(file: Path) -> None:
    http = Responder((503, SLOW_DOWN.body), (500, b""), (200, b""))
    bucket(http).put_file("key", file, len(BODY), DIGEST, "text/x", math.inf)
    assert [BODY] * 3 == [body for _, body in http.sent]
    headers = http.sent[-1][0]
    checksum = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    assert (DIGEST, checksum, str(len(BODY))) == tuple(
        headers[name] for name in ("X-Amz-Content-SHA256", "X-Amz-Checksum-SHA256", "Content-Length")
    )


def test_attempts_are_limited(file: Path) -> None:
    http = Responder(*[(503, SLOW_DOWN.body)] * 4)
    with pytest.raises(StoreUnavailableError, match=r"no response from store \(attempts: 3\): SlowDown"):
        bucket(http).put_file("key", file, len(BODY), DIGEST, "text/x", math.inf)
    assert 1 == len(http.responses)


def test_missing_file_is_not_an_unavailable_bucket(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        bucket(Responder()).put_file("key", tmp_path / "absent", 1, DIGEST, "text/x", math.inf)


def test_shorter_file_is_named(file: Path) -> None:
    """S3 would wait for the rest."""
    with pytest.raises(StoreUnavailableError, match=r"vmlinuz is 1 bytes shorter than it was"):
        bucket(Responder((200, b""))).put_file("key", file, len(BODY) + 1, DIGEST, "text/x", math.inf)


def test_error_after_the_head_of_a_copy_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 sends the head before it copies."""
    monkeypatch.setattr(s3, "_REPEATED_COPY", Backoff(0, 0))
    copied = b"<CopyObjectResult><ChecksumSHA256>sum</ChecksumSHA256></CopyObjectResult>"
    assert "sum" == bucket(Responder((200, ERROR), (200, copied))).copy("key", "origin", {}, math.inf)
    with pytest.raises(StoreUnavailableError, match=r"cannot copy 'origin': InternalError .*: try again"):
        bucket(Responder(*[(200, ERROR)] * 5)).copy("key", "origin", {}, math.inf)


def test_copy_without_a_result_is_an_unavailable_bucket() -> None:
    with pytest.raises(StoreUnavailableError, match=r"what the bucket sends is not XML"):
        bucket(Responder((200, b""))).copy("key", "origin", {}, math.inf)


def test_copy_of_nothing_is_refused() -> None:
    missing = b"<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>"
    with pytest.raises(AWSError, match=r"^NoSuchKey"):
        bucket(Responder((404, missing))).copy("key", "origin", {}, math.inf)


def test_objects_are_those_that_boto3_lists(moto_server: MotoService, buckets: "S3Client") -> None:
    """With names that XML and URLs write in another way."""
    name = f"listed-{uuid4()}"
    buckets.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for key in ("a/1", "a/a b+ü&<%41", "a/dir/2", "b"):
        buckets.put_object(Bucket=name, Key=key, Body=key.encode())
    credentials = Credentials(moto_server.access_key, moto_server.secret_key, moto_server.session_token)
    listed = buckets.list_objects_v2(Bucket=name, Prefix="a/")["Contents"]
    with closing(retrying_http()) as http:
        found = list(S3(moto_server.endpoint, REGION, name, lambda: credentials, http).objects("a/", 60))
    assert [(each["Key"], each["Size"], each["ETag"], each["LastModified"]) for each in listed] == found
