"""Endpoints of AWS services in the environment."""

from itertools import product

import boto3
import pytest

from lambda_matchbox.environment import endpoint_url
from lambda_matchbox.web.settings import Settings
from matchboxctl.store.mode import StoreSettings, chosen_store
from signed_api.handler import SignedSettings

GENERAL, OWN = "http://localhost:1", "http://localhost:2"
NAMES = {"MATCHBOX_TABLE": "t", "MATCHBOX_BUCKET": "b", "MATCHBOX_SIGNING_KEY_SECRET": "s", "AWS_REGION": "eu-west-1"}
IGNORED = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"


def botocores(service: str, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> str | None:
    """The endpoint of boto3's client where it is not AWS's."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    client = boto3.Session().client(
        service, region_name="eu-west-1", aws_access_key_id="fake", aws_secret_access_key="fake"
    )
    endpoint: str = client.meta.endpoint_url
    client.close()
    return None if "amazonaws.com" in endpoint else endpoint


@pytest.mark.parametrize("ignored", [None, "", "true", "True", "false", "1", "yes"])
@pytest.mark.parametrize(("general", "own"), [*product([None, "", GENERAL], [None, "", OWN])])
def test_endpoint_is_botocores(
    general: str | None, own: str | None, ignored: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {IGNORED: ignored, "AWS_ENDPOINT_URL": general, "AWS_ENDPOINT_URL_DYNAMODB": own}
    environment = {name: value for name, value in given.items() if value is not None}
    assert endpoint_url(environment, "DYNAMODB") == botocores("dynamodb", monkeypatch, environment)


@pytest.mark.parametrize(("service", "name"), [("S3", "s3"), ("SECRETS_MANAGER", "secretsmanager")])
def test_own_variable_has_botocores_name(service: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"AWS_ENDPOINT_URL": GENERAL, f"AWS_ENDPOINT_URL_{service}": OWN}
    assert OWN == endpoint_url(environment, service) == botocores(name, monkeypatch, environment)


@pytest.mark.parametrize(
    ("given", "endpoints"),
    [
        ({}, [None, None, None]),
        ({"AWS_ENDPOINT_URL": GENERAL}, [GENERAL, GENERAL, GENERAL]),
        ({"AWS_ENDPOINT_URL": GENERAL, "AWS_ENDPOINT_URL_S3": OWN}, [GENERAL, OWN, GENERAL]),
        ({"AWS_ENDPOINT_URL": GENERAL, "AWS_ENDPOINT_URL_DYNAMODB": OWN, IGNORED: "true"}, [None, None, None]),
    ],
)
def test_functions_obey_the_general_endpoint(given: dict[str, str], endpoints: list[str | None]) -> None:
    boot, signed = Settings.from_environment(NAMES | given), SignedSettings.from_environment(NAMES | given)
    assert endpoints == [boot.dynamodb_endpoint, boot.s3_endpoint, signed.secrets_endpoint]


@pytest.mark.parametrize(
    ("given", "endpoints"),
    [
        ({"AWS_ENDPOINT_URL": GENERAL}, [GENERAL, GENERAL]),
        ({"AWS_ENDPOINT_URL": GENERAL, "AWS_ENDPOINT_URL_S3": OWN}, [GENERAL, OWN]),
        ({"AWS_ENDPOINT_URL": GENERAL, IGNORED: "true"}, [None, None]),
    ],
)
def test_commands_obey_the_general_endpoint(
    given: dict[str, str], endpoints: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For boto3's clients and for the app that `serve` runs alike."""
    keys = {"AWS_ACCESS_KEY_ID": "fake", "AWS_SECRET_ACCESS_KEY": "fake"}
    for name, value in (NAMES | keys | given).items():
        monkeypatch.setenv(name, value)
    store = chosen_store("")
    assert isinstance(store, StoreSettings)
    boot = store.boot_settings()
    assert endpoints == [boot.dynamodb_endpoint, boot.s3_endpoint]
    clients = [store.dynamodb(), store.s3()]
    found = [client.meta.endpoint_url for client in clients]
    assert endpoints == [None if "amazonaws.com" in each else each for each in found]
    for client in clients:
        client.close()
