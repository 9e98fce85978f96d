"""The Lambda handler while DynamoDB or S3 is away: 503 with Retry-After, and the same answers when it is back."""

import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from aws_stores.assets import PREFIX
from aws_stores.catalog_writer import CatalogWriter
from aws_stores.creation import create_bucket, create_table
from boot_api.app import App
from boot_api.handler import app_of
from matchbox.groups import Group
from matchbox.profiles import NetBoot, Profile
from tests.rigs.faults import INTERNAL_ERROR, SLOW_DOWN, THROTTLED, Delay, Fault, Hang, PassThrough, Refuse
from tests.rigs.moto_server import MotoService
from tests.rigs.tcp_fault import FaultProxy, fault_proxy

pytestmark = pytest.mark.real


class Rig(NamedTuple):
    """The app, and the proxies between it and its stores."""

    app: App
    dynamodb: FaultProxy
    s3: FaultProxy


@pytest.fixture
def rig(moto_server: MotoService) -> Iterator[Rig]:
    name = f"matchbox-{uuid.uuid4().hex}"
    client, bucket = moto_server.client("dynamodb"), moto_server.client("s3")
    create_table(client, name)
    create_bucket(bucket, name, moto_server.region)
    bucket.put_object(Bucket=name, Key=PREFIX + "note", Body=b"note\n", ContentType="text/plain; charset=utf-8")
    writer = CatalogWriter(client, bucket, name, name)
    writer.put_profile(Profile("worker", boot=NetBoot("/assets/vmlinuz")))
    writer.put_group(Group("node", profile="worker", selector={"arch": "arm64"}))
    with fault_proxy(moto_server.endpoint) as dynamodb, fault_proxy(moto_server.endpoint) as s3:
        environment = {
            "MATCHBOX_TABLE": name,
            "MATCHBOX_BUCKET": name,
            "MATCHBOX_LOG_LEVEL": "critical",
            "AWS_ACCESS_KEY_ID": moto_server.access_key,
            "AWS_SECRET_ACCESS_KEY": moto_server.secret_key,
            "AWS_REGION": moto_server.region,
            "AWS_ENDPOINT_URL_DYNAMODB": dynamodb.endpoint,
            "AWS_ENDPOINT_URL_S3": s3.endpoint,
        }
        yield Rig(app_of(environment), dynamodb, s3)


def _ask(app: App, path: str, **labels: str) -> dict[str, Any]:
    query = {key: [value] for key, value in labels.items()}
    return app.handle({"httpMethod": "GET", "path": path, "multiValueQueryStringParameters": query})


@pytest.mark.parametrize("fault", [Refuse(), Hang(), Delay(4), INTERNAL_ERROR, THROTTLED], ids=repr)
def test_table_away(rig: Rig, fault: Fault) -> None:
    """A machine is asked to come back, the assets go on, and it boots when the table is back."""
    rig.dynamodb.switch(fault)
    refused = _ask(rig.app, "/ipxe", arch="arm64")
    assert 503 == refused["statusCode"]
    assert 2 <= int(refused["multiValueHeaders"]["retry-after"][0]) <= 10
    assert "location" not in refused["multiValueHeaders"]
    assert "note\n" == _ask(rig.app, "/assets/note")["body"]
    rig.dynamodb.switch(PassThrough())
    assert "#!ipxe\nkernel /assets/vmlinuz\nboot\n" == _ask(rig.app, "/ipxe", arch="arm64")["body"]


@pytest.mark.parametrize("fault", [Refuse(), Hang(), Delay(4), INTERNAL_ERROR, SLOW_DOWN], ids=repr)
def test_bucket_away(rig: Rig, fault: Fault) -> None:
    """A client is asked to come back, the scripts go on, and it gets the file when the bucket is back."""
    rig.s3.switch(fault)
    refused = _ask(rig.app, "/assets/note")
    assert 503 == refused["statusCode"]
    assert 2 <= int(refused["multiValueHeaders"]["retry-after"][0]) <= 10
    assert 200 == _ask(rig.app, "/ipxe", arch="arm64")["statusCode"]
    rig.s3.switch(PassThrough())
    assert "note\n" == _ask(rig.app, "/assets/note")["body"]
