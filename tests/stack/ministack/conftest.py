"""A stack for the tests that change nothing in it."""

import json
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.rigs.ministack import Ministack
from tests.stack.conftest import PROCESSOR
from tests.stack.ministack.deployment import Deployed, deploy, network
from tests.stack.ministack.template import adapted
from tests.support.openpgp.keys import key_ring


class Signing(NamedTuple):
    """The ARNs of the secret with the key that signs, and of KMS's key that encrypts the secret."""

    secret: str
    key: str


@pytest.fixture(scope="session")
def signing(ministack: Ministack) -> Signing:
    with closing(ministack.client("kms")) as kms, closing(ministack.client("secretsmanager")) as secrets:
        key = kms.create_key()["KeyMetadata"]["Arn"]
        text = json.dumps({"key": key_ring("rsa").decode()})
        return Signing(secrets.create_secret(Name="signing", KmsKeyId=key, SecretString=text)["ARN"], key)


@pytest.fixture(scope="session")
def parameters(ministack: Ministack, signing: Signing) -> dict[str, str]:
    """What every deployment is given: responses are signed, no source is synced."""
    return {
        **network(ministack),
        "AllowedCidr": "10.0.0.0/16",
        "Architecture": PROCESSOR,
        "SourceImage": "",
        "SigningKeySecret": signing.secret,
        "SigningKeySecretKey": signing.key,
    }


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SAM CLI's."""
    return tmp_path_factory.mktemp("sam")


@pytest.fixture(scope="session")
def deployed(ministack: Ministack, built: Path, parameters: dict[str, str], home: Path) -> Deployed:
    return deploy(ministack, adapted(built), parameters, home, "with-balancer")
