"""The events in `events/`: each is one of the balancer's, and the Lambda function answers it."""

import json
import re
import uuid
from base64 import b64decode
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from aws_stores.assets import PREFIX
from aws_stores.catalog_writer import CatalogWriter
from aws_stores.creation import create_bucket, create_table
from boot_api.app import App
from boot_api.handler import app_of
from matchbox.content_type import of_file
from matchbox.documents import parse_group, parse_profile
from matchbox.groups import Group
from matchbox.profiles import NetBoot, Profile
from tests.rigs.service import Service

ROOT = Path(__file__).parents[2]
EVENTS = {path.stem: path for path in (ROOT / "events").glob("*.json") if not path.stem.startswith("asset-sync-")}
SEED = ROOT / "tests" / "conformance" / "seed" / "data"
LARGE = bytes(2_000_000)
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"


class Expected(NamedTuple):
    """The status, the Content-Type (None where there is none) and what the body begins with."""

    status: int
    content_type: str | None
    start: bytes


_NOT_FOUND = Expected(404, TEXT, b"404 page not found\n")
_SEED_SCRIPT = Expected(200, TEXT, b"#!ipxe\nkernel /assets/talos/arm64/vmlinuz init_on_alloc=1 ")
_EDGE_SCRIPT = Expected(200, TEXT, b"#!ipxe\nkernel /assets/large/vmlinuz console=ttyS0\nboot\n")
_ELSEWHERE = Expected(302, None, b"")

EXPECTED = {
    "asset": Expected(200, TEXT, b"87ab91a7946413117ce9eb253a57e96a86e7c99542cf728365ca882f54b513fe  vmlinuz\n"),
    "asset-encoded-path": Expected(200, TEXT, b"strange\n"),
    "asset-head": Expected(200, TEXT, b"87ab91a7"),
    "asset-large-grub": Expected(500, TEXT, b"'GRUB' follows no signed redirect, and 'large/vmlinuz' is too large"),
    "asset-large-ipxe": _ELSEWHERE,
    "asset-listing": Expected(200, HTML, b"<!doctype html>\n"),
    "asset-range": Expected(206, TEXT, b"87ab91a7946413117ce9eb253a57e96a86e7c99542cf728365ca882f54b513fe"),
    "boot-ipxe": Expected(200, TEXT, b"#!ipxe\nchain ipxe?uuid=${uuid}&mac=${mac:hexhyp}&"),
    "cloud": Expected(200, TEXT, b"#cloud-config\nhostname: edge\n"),
    "favicon": _NOT_FOUND,
    "generic": Expected(200, TEXT, b"version: v1alpha1\ndebug: false\n"),
    "grub": Expected(200, TEXT, b'default=0\nfallback=1\ntimeout=1\nmenuentry "CoreOS (EFI)" {\n'),
    "health-check": Expected(200, TEXT, b"matchbox\n"),
    "hostile-header": _ELSEWHERE,
    "ignition": Expected(200, "application/json", b'{"ignition":{'),
    "ignition-talos": Expected(200, "application/x-yaml", b"machine:\n  network:\n    hostname: 1f0e6c5a-9b8d-"),
    "ipxe-by-arch": _SEED_SCRIPT,
    "ipxe-by-mac": _EDGE_SCRIPT,
    "ipxe-by-uuid": Expected(200, TEXT, b"#!ipxe\nkernel http://other.example/vmlinuz\nboot\n"),
    "ipxe-no-group": _NOT_FOUND,
    "ipxe-repeated-keys": _SEED_SCRIPT,
    "metadata": Expected(200, "plain/text", b"MAC=52:54:00:00:00:07\nOS=installed\nREQUEST_QUERY_MAC="),
    "path-outside": Expected(301, HTML, b'<a href="/etc/passwd">Moved Permanently</a>.\n'),
    "profile": Expected(200, "application/json", b'{"id": "cozystack-arm64", '),
}


@pytest.fixture(scope="module")
def app(moto_server: Service) -> App:
    """The function over the seed document's data, and machines for what that does not have."""
    name = f"matchbox-{uuid.uuid4().hex}"
    dynamodb, s3 = moto_server.client("dynamodb"), moto_server.client("s3")
    create_table(dynamodb, name)
    create_bucket(s3, name, moto_server.region)
    _fill(CatalogWriter(dynamodb, s3, name, name))
    files = {path.relative_to(SEED / "assets").as_posix(): path for path in (SEED / "assets").rglob("*")}
    assets = {name: path.read_bytes() for name, path in files.items() if path.is_file()}
    for path, body in {**assets, "large/vmlinuz": LARGE, "a file+ü%41.txt": b"strange\n"}.items():
        s3.put_object(Bucket=name, Key=PREFIX + path, Body=body, ContentType=of_file(path, body))
    environment = {
        "MATCHBOX_TABLE": name,
        "MATCHBOX_BUCKET": name,
        "MATCHBOX_LOG_LEVEL": "critical",
        "AWS_REGION": moto_server.region,
        "AWS_ACCESS_KEY_ID": moto_server.access_key,
        "AWS_SECRET_ACCESS_KEY": moto_server.secret_key,
        "AWS_ENDPOINT_URL_DYNAMODB": moto_server.endpoint,
        "AWS_ENDPOINT_URL_S3": moto_server.endpoint,
    }
    return app_of(environment)


def _fill(writer: CatalogWriter) -> None:
    for file in (SEED / "profiles").glob("*.json"):
        writer.put_profile(parse_profile(file.stem, file.read_bytes()))
    for file in (SEED / "groups").glob("*.json"):
        writer.put_group(parse_group(file.stem, file.read_bytes()))
    for file in (SEED / "generic").iterdir():
        writer.put_template("generic", file.name, file.read_bytes())
    edge = NetBoot("/assets/large/vmlinuz", args=("console=ttyS0",))
    writer.put_profile(Profile("edge", ignition_id="edge.ign", cloud_id="edge.yaml", boot=edge))
    writer.put_profile(Profile("talos", ignition_id="talos.yaml"))
    writer.put_profile(Profile("one", boot=NetBoot("http://other.example/vmlinuz")))
    writer.put_template("ignition", "edge.ign", b'{"ignition": {"version": "3.4.0"}}')
    writer.put_template("ignition", "talos.yaml", b"machine:\n  network:\n    hostname: {{.request.query.uuid}}\n")
    writer.put_template("cloud", "edge.yaml", b"#cloud-config\nhostname: {{.name}}\n")
    mac, name = {"mac": "52:54:00:00:00:07"}, {"name": "edge"}
    writer.put_group(Group("edge", profile="edge", selector=mac, metadata=name))
    writer.put_group(Group("edge-installed", profile="edge", selector=mac | {"os": "installed"}))
    writer.put_group(Group("one", profile="one", selector={"uuid": "1f0e6c5a-9b8d-4c3e-a2f1-0b9c8d7e6f5a"}))
    writer.put_group(Group("talos", profile="talos", selector={"mac": "52:54:00:00:00:08", "arch": "x86_64"}))


def event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(EVENTS[name].read_text())
    return found


def test_all_are_expected() -> None:
    """Every file has an expected answer here, and every answer a file."""
    assert set(EXPECTED) == set(EVENTS)


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_of_the_balancer(name: str) -> None:
    """Each file has the fields that the balancer sends to a target group with multi-value headers, and no others."""
    given = event(name)
    assert {
        "requestContext",
        "httpMethod",
        "path",
        "multiValueQueryStringParameters",
        "multiValueHeaders",
        "body",
        "isBase64Encoded",
    } == set(given)
    assert re.fullmatch(
        r"arn:aws:elasticloadbalancing:[a-z0-9-]+:\d{12}:targetgroup/\w+/[0-9a-f]{16}",
        given["requestContext"]["elb"]["targetGroupArn"],
    )
    assert given["httpMethod"] in ("GET", "HEAD")
    assert given["path"].startswith("/")
    assert ("", False) == (given["body"], given["isBase64Encoded"])
    lists = [*given["multiValueHeaders"].values(), *given["multiValueQueryStringParameters"].values()]
    assert [] == [values for values in lists if not values or {type(value) for value in values} != {str}]
    assert [] == [key for key in given["multiValueHeaders"] if key != key.lower()]
    if given["multiValueHeaders"]["user-agent"] != ["ELB-HealthChecker/2.0"]:
        _assert_forwarded(given["multiValueHeaders"])


def _assert_forwarded(headers: dict[str, list[str]]) -> None:
    """What the balancer adds to a client's request, but not to its own health check."""
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", headers["x-amzn-trace-id"][0])
    assert re.search(r"(\d+\.){3}\d+$", headers["x-forwarded-for"][0])
    assert (["80"], ["http"]) == (headers["x-forwarded-port"], headers["x-forwarded-proto"])
    assert "host" in headers


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_answer(app: App, name: str) -> None:
    """Each event is answered with its status, type and first bytes, in the form that the balancer takes."""
    answer = app.handle(event(name))
    body = b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
    headers = {key: values[0] for key, values in answer["multiValueHeaders"].items()}
    start = body[: len(EXPECTED[name].start)] if EXPECTED[name].start else body
    assert EXPECTED[name] == (answer["statusCode"], headers.get("content-type"), start)
    assert answer["statusDescription"].startswith(f"{answer['statusCode']} ")
    assert str(len(body)) == headers["content-length"]
    assert [] == [value for value in headers.values() if "\r" in value or "\n" in value]


@pytest.mark.parametrize("name", ["asset-large-ipxe", "hostile-header"])
def test_redirect(app: App, moto_server: Service, name: str) -> None:
    """A large asset is at a presigned address of the bucket, whatever host the client named."""
    (location,) = app.handle(event(name))["multiValueHeaders"]["location"]
    address, _, query = location.partition("?")
    assert address.startswith(f"{moto_server.endpoint}/matchbox-")
    assert address.endswith("/assets/large/vmlinuz")
    assert "X-Amz-Signature=" in query


def test_no_location_on_a_failure(app: App) -> None:
    """Only a redirect has an address: boot clients follow one on an error too."""
    answers = {name: app.handle(event(name)) for name in EXPECTED}
    assert {"asset-large-ipxe", "hostile-header", "path-outside"} == {
        name for name, answer in answers.items() if "location" in answer["multiValueHeaders"]
    }
