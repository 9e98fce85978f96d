"""What the functions do over stores on moto."""

import json
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from asset_sync.handler import job_of
from boot_history.handler import events_in, history_of
from lambda_matchbox.aws.keys import TOKEN_KEYS
from lambda_matchbox.aws.releases.source_table import SourceTable
from lambda_matchbox.web.app import App
from lambda_matchbox.web.wiring import lambda_app
from signed_api.handler import app_of as signed_app_of
from tests.rigs.service import Service
from tests.rigs.stores import Stores
from tests.support.log_subscription import packed
from tests.support.long_timeout import long_timeout
from tests.support.openpgp.keys import PASSPHRASE, key_ring
from tests.support.registry_serving import faulty_registry
from tests.unit.image_sync.sync_subject import TAG, talos

HISTORY = "history-of-calls"
SOURCE = "talos-arm64"
SECRETS = "/matchbox/matchbox"
"""The prefix of the tested stack."""

SECRET_TEMPLATE = b'#!/bin/sh\n{{secret "talos/token"}}{{secret "sm:join"}}{{secret "sm:prod/token"}}'
GATED, WAITING = "52:54:00:00:00:01", "52:54:00:00:00:02"


def sync(stores: Stores, moto: Service, scratch: Path, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two releases, of which the second has a file of the first, and what a killed sync left."""
    environment = stores.environment() | {
        "AWS_ENDPOINT_URL_DYNAMODB": moto.endpoint,
        "AWS_ENDPOINT_URL_S3": moto.endpoint,
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": moto.endpoint,
        "MATCHBOX_REGISTRY_SECRET": secret,
        "MATCHBOX_RELEASE_COPIES": "true",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with (
        faulty_registry() as registry,
        closing(stores.tables.client("dynamodb")) as dynamodb,
        closing(stores.buckets.client("s3")) as s3,
    ):
        registry.scheme, registry.login = "basic", ("robot", "correct horse")
        boto3.client("secretsmanager", region_name=moto.region).create_secret(
            Name=secret, SecretString='{"username": "robot", "password": "correct horse"}'
        )
        document = {"id": SOURCE, "image": f"{registry.host}/{SOURCE}:{TAG}", "assets": "talos/arm64"}
        SourceTable(stores.light_clients()).put(SOURCE, json.dumps(document))
        for key in (f"releases/{SOURCE}/left/vmlinuz", "served/assets/talos/arm64/left"):
            s3.put_object(Bucket=stores.name, Key=key, Body=b"x")
        for kernel in (b"one", b"two"):
            registry.add(SOURCE, TAG, talos(kernel))
            job = job_of(environment, scratch)
            with closing(job._downloads.registry):
                assert [SOURCE] == job.run(SOURCE).changed
        # As if a month had passed.
        made = {"k1": {"S": b64encode(bytes(32)).decode()}, "newest": {"N": "1"}}
        dynamodb.put_item(TableName=stores.name, Item={"pk": {"S": TOKEN_KEYS}, **made})
        job.run(None)


@contextmanager
def secrets_of_configurations(moto: Service) -> Iterator[None]:
    """Those that SECRET_TEMPLATE names."""
    with closing(moto.client("ssm")) as ssm, closing(moto.client("secretsmanager")) as client:
        ssm.put_parameter(Name=f"{SECRETS}/talos/token", Value="x", Type="SecureString")
        arns = [client.create_secret(Name=name, SecretString="x")["ARN"] for name in ("join", "prod/token")]
        yield
        ssm.delete_parameter(Name=f"{SECRETS}/talos/token")
        for arn in arns:
            client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


def _environment(stores: Stores, moto: Service) -> dict[str, str]:
    services = ("DYNAMODB", "S3", "SSM", "SECRETS_MANAGER")
    return {
        **stores.environment(),
        **{f"AWS_ENDPOINT_URL_{service}": moto.endpoint for service in services},
        "MATCHBOX_SECRETS": SECRETS,
        "MATCHBOX_SECRETS_MANAGER": "*",
    }


def boot(stores: Stores, moto: Service) -> str:
    """What machines ask, and the addresses that they are sent to; returns the token of one."""
    environment = _environment(stores, moto)
    paths = [
        "/ipxe",
        "/cloud",
        "/generic",
        "/assets/",
        "/assets/vmlinuz",
        "/assets/large",
        "/assets/talos/arm64/vmlinuz",
    ]
    with long_timeout():
        app = lambda_app(environment)
    _send(app, paths)
    token: str = _respond(app, "/ipxe", mac=GATED)["body"].split("set token ")[1].split()[0]
    assert _respond(app, "/cloud", mac=GATED, token=token)["body"] == "#!/bin/sh\nxxx"
    return token


def sign(stores: Stores, unrecorded: Service, moto: Service, secret: str, token: str) -> None:
    """What is asked for by paths in .sig and .asc, of which some are assets, and some are none."""
    with closing(unrecorded.client("secretsmanager")) as client:
        key = {"key": key_ring("ed25519").decode(), "passphrase": PASSPHRASE}
        client.create_secret(Name=secret, SecretString=json.dumps(key))
    environment = _environment(stores, moto) | {"MATCHBOX_SIGNING_KEY_SECRET": secret}
    paths = [
        "/ipxe.sig",
        "/cloud.asc",
        "/generic.sig",
        "/assets/large.sig",
        "/assets/small.asc",
    ]
    with long_timeout():
        app = signed_app_of(environment)
    _send(app, paths)
    assert _respond(app, "/ipxe.sig", mac=GATED)["statusCode"] == 200
    assert _respond(app, "/cloud.sig", mac=GATED, token=token)["statusCode"] == 200
    _send(app, ["/assets/absent.asc", "/assets/talos/arm64/vmlinuz.sig"], (404,))


def fold(stores: Stores, moto: Service) -> None:
    """What the function of the history does with the lines of a boot, of which some come twice."""
    environment = stores.environment() | {
        "AWS_ENDPOINT_URL_DYNAMODB": moto.endpoint,
        "MATCHBOX_HISTORY_TABLE": HISTORY,
    }
    history = history_of(environment)
    common = {"message": "request", "method": "GET", "status": 200, "client": "10.0.0.5", "user_agent": "iPXE"}
    lines = [
        {"route": "/ipxe", "mac": GATED, "uuid": "u"},
        {"route": "/assets/", "path": "/assets/vmlinuz"},
        {"route": "/ipxe", "mac": WAITING, "group": "approved", "verdict": "wait", "state": "waiting"},
    ]
    for _ in range(2):
        history.add(events_in(packed([json.dumps(common | line) for line in lines], 1)))


def _respond(app: App, path: str, **labels: str) -> dict[str, Any]:
    query = {name: [value] for name, value in labels.items()}
    event = {"httpMethod": "GET", "path": path, "multiValueQueryStringParameters": query}
    return app.handle({**event, "multiValueHeaders": {"host": ["boot.example"], "x-forwarded-for": ["10.0.0.5"]}})


def _send(app: App, paths: list[str], statuses: tuple[int, ...] = (200, 302)) -> None:
    """Ask each, which has to be answered so, and follow where it leads."""
    for path in paths:
        event = {"httpMethod": "GET", "path": path, "multiValueHeaders": {"user-agent": ["curl/8"]}}
        response = app.handle(event)
        assert response["statusCode"] in statuses, (path, response)
        for location in response["multiValueHeaders"].get("location", ()):
            with urllib.request.urlopen(location, timeout=30) as got:
                got.read()
