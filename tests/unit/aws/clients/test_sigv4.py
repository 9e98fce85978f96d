"""Signatures are those of botocore's signers."""

from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from unittest.mock import patch
from urllib.parse import quote

import boto3
import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.s3 import S3
from lambda_matchbox.aws.clients.sigv4 import Credentials, presign_get, sign_headers

WORDS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=30)
TEXTS = st.text(max_size=30).filter(lambda text: text.isprintable())
MOMENTS = st.integers(0, 4_000_000_000)
REGIONS = st.sampled_from(["eu-west-1", "us-east-1", "us-gov-west-1"])
CREDENTIALS = st.builds(Credentials, WORDS, WORDS, st.none() | WORDS)
HOSTS = st.sampled_from(
    ["https://assets.s3.eu-west-1.amazonaws.com", "http://127.0.0.1:8080", "http://localhost:80", "https://s3:443"]
)
PATHS = st.text(max_size=30).map(lambda key: "/" + quote(key, safe="-_.~/"))
HEADERS = st.dictionaries(
    st.sampled_from(["Content-Type", "Range", "X-Amz-Target", "x-amz-meta-note"]),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30),
)


def encoded(text: str) -> str:
    return quote(text, safe="-_.~")


QUERIES = st.lists(st.tuples(TEXTS.map(encoded), TEXTS.map(encoded)), max_size=4).map(
    lambda pairs: "&".join(f"{key}={value}" for key, value in pairs)
)


def botocore_signed(signer: type, request: AWSRequest, credentials: Credentials, now: int, *arguments: object) -> None:
    with patch("botocore.auth.get_current_datetime", return_value=datetime.fromtimestamp(now, UTC)):
        signer(BotocoreCredentials(*credentials), *arguments).add_auth(request)


@given(
    st.sampled_from(["GET", "HEAD", "PUT"]), HOSTS, PATHS, QUERIES, HEADERS, st.binary(), CREDENTIALS, REGIONS, MOMENTS
)
def test_s3_headers(
    method: str,
    host: str,
    path: str,
    query: str,
    headers: dict[str, str],
    body: bytes,
    credentials: Credentials,
    region: str,
    now: int,
) -> None:
    """An S3 request is signed as by S3SigV4Auth, for any key, query, header, body, token and time."""
    url = f"{host}{path}?{query}" if query else host + path
    request = AWSRequest(method, url, headers=headers, data=body)
    botocore_signed(botocore.auth.S3SigV4Auth, request, credentials, now, "s3", region)
    signed = sign_headers(
        method, url, headers, sha256(body).hexdigest(), credentials=credentials, region=region, service="s3", now=now
    )
    assert dict(request.headers.items()) == {name: value for name, value in signed.items() if name != "Host"}


@given(HOSTS, st.sampled_from(["/", "/proxy/", "/a%20b~%C3%BC/"]), HEADERS, st.binary(), CREDENTIALS, REGIONS, MOMENTS)
def test_dynamodb_headers(
    host: str, path: str, headers: dict[str, str], body: bytes, credentials: Credentials, region: str, now: int
) -> None:
    """A DynamoDB request is signed as by SigV4Auth, also on an endpoint with a path."""
    url = host + path
    request = AWSRequest("POST", url, headers=headers, data=body)
    botocore_signed(botocore.auth.SigV4Auth, request, credentials, now, "dynamodb", region)
    signed = sign_headers(
        "POST",
        url,
        headers,
        sha256(body).hexdigest(),
        credentials=credentials,
        region=region,
        service="dynamodb",
        now=now,
    )
    assert dict(request.headers.items()) == {name: value for name, value in signed.items() if name != "Host"}


@given(HOSTS, PATHS, CREDENTIALS, REGIONS, MOMENTS, st.integers(1, 604_800))
def test_presigned_url(
    host: str,
    path: str,
    credentials: Credentials,
    region: str,
    now: int,
    lifetime: int,
) -> None:
    """A presigned URL is the one of S3SigV4QueryAuth, to the byte."""
    request = AWSRequest("GET", host + path)
    botocore_signed(botocore.auth.S3SigV4QueryAuth, request, credentials, now, "s3", region, lifetime)
    signed = presign_get(host + path, credentials=credentials, region=region, now=now, lifetime=lifetime)
    assert request.url == signed


def test_secrets_are_not_in_repr() -> None:
    assert "Credentials(access_key='AKIAFAKE')" == f"{Credentials('AKIAFAKE', 'hush', 'token')!r}"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("bucket", ["assets", "dotted.assets"])
@pytest.mark.parametrize("key", ["talos/arm64/vmlinuz", "a b+ü&~/'()*"])
def test_presigned_url_equals_that_of_boto3(scheme: str, bucket: str, key: str) -> None:
    config = Config(signature_version="s3v4", s3={"addressing_style": "path" if "." in bucket else "virtual"})
    keys = Credentials("AKIAFAKE", "fake", "to/ken+=")
    client = boto3.Session(*keys, region_name="eu-west-1").client("s3", config=config, use_ssl=scheme == "https")
    then = datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC)
    with closing(client), patch("botocore.auth.get_current_datetime", return_value=then):
        expected = client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key}, ExpiresIn=600)
    s3 = S3(None, "eu-west-1", bucket, lambda: keys, HttpClient())
    with patch("lambda_matchbox.aws.clients.s3.time.time", return_value=then.timestamp()):
        assert expected == s3.presigned_get(key, scheme, 600)
