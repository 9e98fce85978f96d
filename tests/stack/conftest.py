"""The translated stacks and the built functions, made once for a run."""

import platform
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.rigs.cache import alone
from tests.rigs.service import Service
from tests.stack.place import Place
from tests.stack.resolution import Stack, stacks
from tools.template_translation import PROJECT, Deployment

PROCESSOR = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
"""This machine's, as Lambda names it."""

KEY = {"SigningKeySecret": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:signing-AbCdEf"}
"""What makes the function that signs."""

FULL = {
    **KEY,
    "SecondAllowedCidr": "192.168.0.0/24",
    "AllowedPrefixList": "pl-0123456789abcdef0",
    "CertificateArn": "arn:aws:acm:eu-central-1:123456789012:certificate/6e1b0c9a",
    "RegistrySecret": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:registry-AbCdEf",
    "RegistrySecretKey": "arn:aws:kms:eu-central-1:123456789012:key/6e1b0c9a-0000-4000-8000-123456789abc",
    "SigningKeySecretKey": "arn:aws:kms:eu-central-1:123456789012:key/7f2c1d0b-0000-4000-8000-123456789abc",
    "SecretsKmsKeyArn": "arn:aws:kms:eu-central-1:123456789012:key/8a3d2e1c-0000-4000-8000-123456789abc",
    "SecretsManagerArns": (
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:join-AbCdEf,"
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/token-AbCdEf"
    ),
    "RouteTableIds": "rtb-0123456789abcdef0",
    "AlarmEmail": "operator@example.com",
}
"""Every option that adds something."""


CLOUDFRONT = {
    "FrontDoor": "cloudfront",
    "AllowedCidrs": "203.0.113.0/24,2001:db8::/48",
    "VpcId": "",
    "SubnetIds": "",
    "AllowedCidr": "",
}
"""What has to be answered for CloudFront, and nothing of what is for a load balancer."""

DOORS: Mapping[str, Mapping[str, str]] = {"alb": {}, "cloudfront": CLOUDFRONT}

BEHIND_BALANCER = pytest.mark.parametrize("door", ["alb"], indirect=True, scope="session")


class Stacks(NamedTuple):
    """What an operator gets who answers only what has to be, who takes every option, and who wants signatures only."""

    plain: Stack
    full: Stack
    with_key: Stack


@cache
def stacks_behind(door: str) -> Stacks:
    """Those behind one door."""
    return Stacks(*stacks([Deployment({**options, **DOORS[door]}) for options in ({}, FULL, KEY)]))


@pytest.fixture(scope="session", params=DOORS)
def door(request: pytest.FixtureRequest) -> str:
    """What machines ask: tests of stacks are for both doors, unless they are marked."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def plain(door: str) -> Stack:
    """What an operator gets who answers only what has to be answered."""
    return stacks_behind(door).plain


@pytest.fixture(scope="session")
def full(door: str) -> Stack:
    """What an operator gets who takes every option."""
    return stacks_behind(door).full


@pytest.fixture(scope="session")
def with_key(door: str) -> Stack:
    """What an operator gets who wants signatures, and else only what has to be."""
    return stacks_behind(door).with_key


@pytest.fixture(scope="session")
def built(request: pytest.FixtureRequest) -> Path:
    """Where `sam build` has put functions and layers for this machine's processor."""
    return _made(PROCESSOR, request)


@pytest.fixture(scope="session")
def built_for_arm64(request: pytest.FixtureRequest) -> Path:
    """Where `sam build` has put what `sam deploy` deploys by default."""
    return _made("arm64", request)


@pytest.fixture(scope="session")
def new_place(built: Path, dynamodb_local: Service, versitygw: Service, moto_server: Service) -> Any:
    def made(**parameters: str) -> Place:
        return Place(built, dynamodb_local, versitygw, moto_server, parameters)

    return made


@pytest.fixture
def new_secret(moto_server: Service) -> Iterator[Any]:
    with closing(moto_server.client("secretsmanager")) as client:

        def made(text: str) -> str:
            arn: str = client.create_secret(Name=str(uuid.uuid4()), SecretString=text)["ARN"]
            return arn

        yield made


def _made(processor: str, request: pytest.FixtureRequest) -> Path:
    """Build for a processor, once for all workers of a run."""
    # Beside the directory `sam build` writes a file on what it has built.
    directory = f".aws-sam/tests-{processor}/build"
    line = ["make", "-s", "artefacts", f"ARCHITECTURE={processor}", f"BUILT={directory}"]
    run, built_in = request.getfixturevalue("testrun_uid"), PROJECT / directory / "test-run"
    with alone(f"sam-build-{processor}"):
        if built_in.is_file() and built_in.read_text() == run:
            return PROJECT / directory
        done = subprocess.run(line, cwd=PROJECT, capture_output=True, text=True, check=False)
        assert 0 == done.returncode, done.stdout + done.stderr
        built_in.write_text(run)
    return PROJECT / directory
