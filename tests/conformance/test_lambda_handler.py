"""Every recorded response, as the balancer's events into the Lambda function over DynamoDB and S3."""

import base64
from pathlib import Path
from typing import Any

import pytest

from lambda_matchbox.web.app import App
from lambda_matchbox.web.wiring import lambda_app
from tests.conformance.recordings import HERE, SUITES, Recording, Response, assert_reproduced, recordings
from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.support.long_timeout import long_timeout


@pytest.fixture(scope="module")
def on_moto(moto_server: Service) -> dict[str, App]:
    return {suite: _imported(HERE / suite / "data", moto_server, moto_server) for suite in SUITES}


@pytest.fixture(scope="module")
def on_real_stores(dynamodb_local: Service, versitygw: Service) -> dict[str, App]:
    return {suite: _imported(HERE / suite / "data", dynamodb_local, versitygw) for suite in SUITES}


@pytest.mark.parametrize("recording", recordings(), ids=lambda recording: recording.name)
def test_recorded_response_is_reproduced_on_moto(recording: Recording, on_moto: dict[str, App]) -> None:
    """Status, headers and body are matchbox's."""
    assert_reproduced(recording, _respond(on_moto[recording.suite], recording), behind_balancer=True)


@pytest.mark.real
@pytest.mark.parametrize("recording", recordings(), ids=lambda recording: recording.name)
def test_recorded_response_is_reproduced_on_real_stores(recording: Recording, on_real_stores: dict[str, App]) -> None:
    """Status, headers and body are matchbox's."""
    assert_reproduced(recording, _respond(on_real_stores[recording.suite], recording), behind_balancer=True)


def _imported(data: Path, tables: Service, buckets: Service) -> App:
    """The handler's app over a table and a bucket that hold the data directory."""
    stores = new_stores(tables, buckets)
    stores.fill(data)
    with long_timeout():
        return lambda_app(stores.environment())


def _respond(app: App, recording: Recording) -> Response:
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
    response = app.handle(event)
    body = base64.b64decode(response["body"]) if response["isBase64Encoded"] else response["body"].encode()
    assert response["statusDescription"].startswith(f"{response['statusCode']} ")
    headers = {name: values[0] for name, values in response["multiValueHeaders"].items()}
    # The balancer drops the body of a response to HEAD.
    return Response(response["statusCode"], headers, b"" if recording.method == "HEAD" else body)
