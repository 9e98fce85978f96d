"""Who may read what in the bucket, by the template's policy; a real S3 server verifies the signatures."""

import uuid
from collections.abc import Callable
from contextlib import closing
from typing import Any, TypeAlias

import pytest

from lambda_matchbox.aws.table_and_bucket import create_bucket
from tests.rigs.service import Service
from tests.stack.cloudfront.bucket import Bucket
from tests.stack.cloudfront.messages import Request
from tests.stack.cloudfront.signatures import Principal, signed
from tests.stack.place import BEHIND_CLOUDFRONT
from tests.stack.resolution import Stack, stacks
from tools.template_translation import Deployment

pytestmark = pytest.mark.real

ARN = "arn:aws:cloudfront::123456789012:distribution/"
KEYS = ("assets/a b+\u00fc", "served/assets/b", "templates/generic/c", "answers/d", "releases/e/f/g")
PATHS = ("/assets/a%20b%2B%C3%BC", "/served/assets/b", "/templates/generic/c", "/answers/d", "/releases/e/f/g")

Send: TypeAlias = Callable[..., int]


@pytest.fixture(scope="module")
def name(versitygw: Service) -> str:
    made = f"matchbox-{uuid.uuid4()}"
    with closing(versitygw.client("s3")) as s3:
        create_bucket(s3, made, versitygw.region)
        for key in KEYS:
            s3.put_object(Bucket=made, Key=key, Body=b"x")
    return made


@pytest.fixture
def stack() -> Stack:
    return stacks([Deployment(BEHIND_CLOUDFRONT)])[0]


@pytest.fixture
def send(stack: Stack, name: str, versitygw: Service) -> Send:
    """The status of a request, which the distribution signs unless said otherwise."""

    def status(
        path: str, by: str = "<Distribution>", secret: str | None = None, sent: Any = None, secure: bool = False
    ) -> int:
        secret = secret or versitygw.secret_key
        principal = Principal("cloudfront.amazonaws.com", ARN + by, versitygw.access_key, secret)
        bucket = Bucket(stack, name, versitygw, {principal.access_key: principal})
        request = Request("GET", path, "", (("host", bucket.host),), secure, "130.176.0.9")
        if by:
            headers = signed(request, bucket.host, "s3", versitygw.region, principal)
            request = request._replace(headers=headers)
        return bucket.respond(request._replace(path=sent or path)).status

    return status


@pytest.mark.parametrize("secure", [True, False])
def test_distribution_reads_assets_and_copies_only(send: Send, secure: bool) -> None:
    """By http too, as it asks for what it was asked for by http."""
    assert [200, 200, 403, 403, 403] == [send(path, secure=secure) for path in PATHS]
    assert 404 == send("/assets/absent", secure=secure)


def test_nobody_else_reads(send: Send) -> None:
    assert [403] * 2 == [send(path, by="") for path in PATHS[:2]]
    assert [403] * 2 == [send(path, by="E2") for path in PATHS[:2]]
    assert 403 == send(PATHS[1], secret="other")


def test_signature_is_for_one_path(send: Send) -> None:
    assert 403 == send("/assets/absent", sent=PATHS[1])


def test_missing_objects_are_forbidden_without_the_permission_to_list(stack: Stack, send: Send) -> None:
    """Which fails over too, and is no error that is kept."""
    statements = stack.properties("BucketPolicy")["PolicyDocument"]["Statement"]
    statements[:] = [each for each in statements if each["Sid"] != "MissingObjectsAreNotFound"]
    assert [403, 200] == [send(path) for path in ("/assets/absent", PATHS[1])]


@pytest.mark.parametrize("sid", ["TlsForReads", "TlsForAllButReads"])
def test_http_is_denied_without_the_distributions_exception(stack: Stack, send: Send, sid: str) -> None:
    """The policy of a stack whose machines all use https."""
    for each in stack.properties("BucketPolicy")["PolicyDocument"]["Statement"]:
        if each["Sid"] == sid:
            each.update(
                Resource=["<Bucket.Arn>", "<Bucket.Arn>/*"], Condition={"Bool": {"aws:SecureTransport": "false"}}
            )
    denied = {"TlsForReads": [403, 403], "TlsForAllButReads": [200, 403]}[sid]
    assert denied == [send(path) for path in (PATHS[1], "/assets/absent")]
    assert [200, 404] == [send(path, secure=True) for path in (PATHS[1], "/assets/absent")]
