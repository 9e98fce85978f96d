"""Every store of secrets gives the values that exist, unchanged."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.sigv4 import Credentials
from lambda_matchbox.aws.secrets import SecretSettings, StackSecrets, arns_by_name
from lambda_matchbox.secrets.cache import CachedSecrets
from lambda_matchbox.secrets.stores import SecretStore
from matchboxctl.directory.secrets import DirectorySecrets
from tests.rigs.catalog_table import ENOUGH
from tests.rigs.service import Service

LARGE = "8 KB " * 1638 + "of"


class Subject(NamedTuple):
    """How a secret is set and deleted, the store then, and what names in it begin with."""

    put: Callable[[str, str], object]
    delete: Callable[[str], object]
    store: Callable[[], SecretStore]
    beginning: str = ""


@pytest.fixture(params=["directory", "parameter store", "secrets manager"])
def subject(request: pytest.FixtureRequest, tmp_path: Path, moto_server: Service) -> Iterator[Subject]:
    if request.param == "directory":
        yield _directory(tmp_path)
        return
    credentials = Credentials(moto_server.access_key, moto_server.secret_key)
    prefix = f"/matchbox/{uuid.uuid4()}"
    arns: list[str] = []

    def store() -> SecretStore:
        settings = SecretSettings(prefix, arns_by_name(",".join(arns)), moto_server.endpoint, moto_server.endpoint)
        aws = StackSecrets(settings, moto_server.region, lambda: credentials, http, call_timeout=ENOUGH)
        return CachedSecrets(aws)

    with closing(HttpClient(read_timeout=ENOUGH)) as http:
        if request.param == "parameter store":
            with closing(moto_server.client("ssm")) as ssm:
                yield Subject(
                    lambda name, value: ssm.put_parameter(
                        Name=f"{prefix}/{name}",
                        Value=value,
                        Type="SecureString",
                        Tier="Advanced" if len(value) > 4096 else "Standard",
                    ),
                    lambda name: ssm.delete_parameter(Name=f"{prefix}/{name}"),
                    store,
                )
        else:
            with closing(moto_server.client("secretsmanager")) as client:
                yield Subject(
                    lambda name, value: arns.append(
                        client.create_secret(Name=name.removeprefix("sm:"), SecretString=value)["ARN"]
                    ),
                    lambda name: client.delete_secret(SecretId=name.removeprefix("sm:")),
                    store,
                    f"sm:{prefix.removeprefix('/')}/",
                )


def _directory(root: Path) -> Subject:
    def put(name: str, value: str) -> None:
        path = root / "secrets" / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(value.encode())

    return Subject(put, lambda name: (root / "secrets" / name).unlink(), lambda: DirectorySecrets(root))


def test_values_are_those_that_were_set(subject: Subject) -> None:
    values = {"token": "s3cr3t\n", "talos/prod/ca": '{"crt": "ä\u2028"}', "large": LARGE, "a.b-c_d/0": " "}
    named = {subject.beginning + name: value for name, value in values.items()}
    for name, value in named.items():
        subject.put(name, value)
    absent = [f"{subject.beginning}{name}" for name in ("absent", "talos", "talos/prod", "token/below", "Token")]
    store = subject.store()
    assert store.values([*named, *absent]) == named
    assert store.values(absent) == {}
    assert store.values([]) == {}


def test_more_than_ten_are_given(subject: Subject) -> None:
    values = {f"{subject.beginning}talos/{number}": f"value {number}" for number in range(23)}
    for name, value in values.items():
        subject.put(name, value)
    assert subject.store().values(values) == values


def test_a_deleted_one_is_absent(subject: Subject) -> None:
    name = f"{subject.beginning}token"
    subject.put(name, "s3cr3t")
    assert subject.store().values([name]) == {name: "s3cr3t"}
    subject.delete(name)
    assert subject.store().values([name]) == {}


def test_names_of_secrets_manager_are_only_those_of_the_stack(subject: Subject) -> None:
    assert subject.store().values(["sm:signing-key"]) == {}
