"""The Lambda handler while DynamoDB or S3 is away: 503 with Retry-After, and the same responses when it is back."""

import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from lambda_matchbox.aws.catalog.writer import CatalogWriter
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.keys import ASSETS_PREFIX
from lambda_matchbox.aws.table_and_bucket import create_bucket, create_table
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.web.app import App
from lambda_matchbox.web.wiring import lambda_app
from tests.rigs.faults import INTERNAL_ERROR, SLOW_DOWN, THROTTLED, Delay, Fault, Hang, PassThrough, Refuse
from tests.rigs.moto_server import MotoService
from tests.rigs.tcp_fault import FaultProxy, fault_proxy
from tests.support.retry_on_503 import retry_on_503

pytestmark = pytest.mark.real

LARGE = 1_000_000
SIX_RANGES = {"user-agent": "GRUB 2.06", "range": "bytes=" + ",".join(f"{n}-{n}" for n in range(0, 12, 2))}


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
    bucket.put_object(Bucket=name, Key=ASSETS_PREFIX + "note", Body=b"note\n", ContentType="text/plain; charset=utf-8")
    bucket.put_object(
        Bucket=name, Key=ASSETS_PREFIX + "vmlinuz", Body=bytes(LARGE), ContentType="application/octet-stream"
    )
    writer = CatalogWriter(StoreClients(client, bucket, name, name))
    writer.put_profile(Profile("worker", generic_id="t", boot=NetBoot("/assets/vmlinuz")))
    writer.put_template("generic", "t", b"{{.arch}}")
    writer.put_profile(Profile("long", generic_id="long"))
    writer.put_template("generic", "long", b"x" * LARGE)
    writer.put_group(Group("long", profile="long", selector={"arch": "long"}))
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
        yield Rig(lambda_app(environment), dynamodb, s3)


def _send(app: App, path: str, headers: dict[str, str] | None = None, **labels: str) -> dict[str, Any]:
    query = {key: [value] for key, value in labels.items()}
    event = {"httpMethod": "GET", "path": path, "multiValueQueryStringParameters": query, "headers": headers or {}}
    return app.handle(event)


def _response(app: App, path: str, headers: dict[str, str] | None = None, **labels: str) -> dict[str, Any]:
    """Ask as machines do that are told to come back: the store is there, but may be late on a busy machine."""
    return retry_on_503(lambda: _send(app, path, headers, **labels), lambda response: response["statusCode"])


def _refused(app: App, path: str, headers: dict[str, str] | None = None, **labels: str) -> None:
    """Ask in vain: the machine is told when to come back, and sent nowhere."""
    refused = _send(app, path, headers, **labels)
    assert 503 == refused["statusCode"]
    assert 2 <= int(refused["multiValueHeaders"]["retry-after"][0]) <= 10
    assert "location" not in refused["multiValueHeaders"]


@pytest.mark.parametrize("fault", [Refuse(), Hang(), Delay(4), INTERNAL_ERROR, THROTTLED], ids=repr)
def test_table_away(rig: Rig, fault: Fault) -> None:
    """A machine is asked to come back, the assets go on, and it boots when the table is back."""
    # What a process has once read of releases serves it on.
    assert "note\n" == _response(rig.app, "/assets/note")["body"]
    rig.dynamodb.switch(fault)
    _refused(rig.app, "/ipxe", arch="arm64")
    _refused(rig.app, "/generic", arch="arm64")
    assert "note\n" == _response(rig.app, "/assets/note")["body"]
    rig.dynamodb.switch(PassThrough())
    assert "#!ipxe\nkernel /assets/vmlinuz\nboot\n" == _response(rig.app, "/ipxe", arch="arm64")["body"]
    assert "arm64" == _response(rig.app, "/generic", arch="arm64")["body"]


@pytest.mark.parametrize(
    "fault",
    [
        Hang(),
        SLOW_DOWN,
        *(pytest.param(fault, marks=pytest.mark.nightly) for fault in (Refuse(), Delay(4), INTERNAL_ERROR)),
    ],
    ids=repr,
)
def test_bucket_away(rig: Rig, fault: Fault) -> None:
    """A client is asked to come back, the scripts go on, and it gets the file when the bucket is back."""
    rig.s3.switch(fault)
    _refused(rig.app, "/assets/note")
    _refused(rig.app, "/assets/vmlinuz", SIX_RANGES)
    _refused(rig.app, "/generic", arch="long")
    assert 200 == _response(rig.app, "/ipxe", arch="arm64")["statusCode"]
    assert "arm64" == _response(rig.app, "/generic", arch="arm64")["body"]
    rig.s3.switch(PassThrough())
    assert "note\n" == _response(rig.app, "/assets/note")["body"]
    assert 206 == _response(rig.app, "/assets/vmlinuz", SIX_RANGES)["statusCode"]
    assert 302 == _response(rig.app, "/generic", arch="long")["statusCode"]


@pytest.mark.parametrize("path", ["/assets/vmlinuz", "/assets/a%20b%20c"])
def test_slow_bucket(rig: Rig, path: str) -> None:
    """Answers that come within their own time, and too late together, are a 503 as well."""
    rig.s3.switch(Delay(1.4))
    _refused(rig.app, path, SIX_RANGES)


def test_slow_stores(rig: Rig) -> None:
    """So are a selection, a template and a long response's way into the bucket."""
    rig.dynamodb.switch(Delay(0.6))
    rig.s3.switch(Delay(1.2))
    _refused(rig.app, "/generic", arch="long")
