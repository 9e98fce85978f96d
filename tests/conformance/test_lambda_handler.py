"""Every recorded answer, as the balancer's events into the Lambda function over DynamoDB and S3."""

import base64
import uuid
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aws_stores.assets import PREFIX
from aws_stores.catalog_writer import CatalogWriter
from aws_stores.creation import create_bucket, create_table
from boot_api.app import App
from boot_api.handler import app_of
from matchbox import content_type
from matchbox.documents import DocumentError, parse_group, parse_profile
from tests.conformance.recordings import HERE, SUITES, Recording, Response, assert_reproduced, recordings
from tests.rigs.service import Service


@pytest.fixture(scope="module")
def on_moto(moto_server: Service) -> dict[str, App]:
    return {suite: _imported(HERE / suite / "data", moto_server, moto_server) for suite in SUITES}


@pytest.fixture(scope="module")
def on_real_stores(dynamodb_local: Service, versitygw: Service) -> dict[str, App]:
    return {suite: _imported(HERE / suite / "data", dynamodb_local, versitygw) for suite in SUITES}


@pytest.mark.parametrize("recording", recordings(), ids=lambda recording: recording.name)
def test_a_recorded_answer_is_reproduced_on_moto(recording: Recording, on_moto: dict[str, App]) -> None:
    """Status, headers and body are matchbox's."""
    assert_reproduced(recording, _answer(on_moto[recording.suite], recording))


@pytest.mark.real
@pytest.mark.parametrize("recording", recordings(), ids=lambda recording: recording.name)
def test_a_recorded_answer_is_reproduced_on_real_stores(recording: Recording, on_real_stores: dict[str, App]) -> None:
    """Status, headers and body are matchbox's."""
    assert_reproduced(recording, _answer(on_real_stores[recording.suite], recording))


def _imported(data: Path, tables: Service, buckets: Service) -> App:
    """The handler's app over a table and a bucket that hold the data directory."""
    name = f"matchbox-{uuid.uuid4().hex}"
    # DynamoDB Local takes any credentials, but shows each access key its own tables.
    tables = replace(tables, access_key=buckets.access_key, secret_key=buckets.secret_key)
    dynamodb, s3 = tables.client("dynamodb"), buckets.client("s3")
    create_table(dynamodb, name)
    create_bucket(s3, name, buckets.region)
    writer = CatalogWriter(dynamodb, s3, name, name)
    for file in sorted((data / "profiles").glob("*.json")):
        writer.put_profile(parse_profile(file.stem, file.read_bytes()))
    for file in sorted((data / "groups").glob("*.json")):
        # The recordings hold groups that do not parse, which matchbox leaves out.
        with suppress(DocumentError):
            writer.put_group(parse_group(file.stem, file.read_bytes()))
    for kind in ("ignition", "cloud", "generic"):
        for file in sorted((data / kind).glob("*")):
            writer.put_template(kind, file.name, file.read_bytes())
    for file in sorted((data / "assets").rglob("*")):
        if file.is_file():
            body, path = file.read_bytes(), file.relative_to(data / "assets").as_posix()
            s3.put_object(Bucket=name, Key=PREFIX + path, Body=body, ContentType=content_type.of_file(path, body))
    environment = {
        "MATCHBOX_TABLE": name,
        "MATCHBOX_BUCKET": name,
        "MATCHBOX_LOG_LEVEL": "critical",
        "AWS_REGION": tables.region,
        "AWS_ACCESS_KEY_ID": buckets.access_key,
        "AWS_SECRET_ACCESS_KEY": buckets.secret_key,
        "AWS_ENDPOINT_URL_DYNAMODB": tables.endpoint,
        "AWS_ENDPOINT_URL_S3": buckets.endpoint,
    }
    return app_of(environment)


def _answer(app: App, recording: Recording) -> Response:
    path, _, query = recording.target.partition("?")
    parameters: dict[str, list[str]] = {}
    for key, _, value in (pair.partition("=") for pair in query.split("&") if pair):
        parameters.setdefault(key, []).append(value)
    event: dict[str, Any] = {
        "httpMethod": recording.method,
        "path": path,
        "multiValueQueryStringParameters": parameters,
        "multiValueHeaders": {"host": ["matchbox.test"]} | {k.lower(): [v] for k, v in recording.headers.items()},
    }
    answer = app.handle(event)
    body = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
    assert answer["statusDescription"].startswith(f"{answer['statusCode']} ")
    headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
    # The balancer drops the body of an answer to HEAD.
    return Response(answer["statusCode"], headers, b"" if recording.method == "HEAD" else body)
