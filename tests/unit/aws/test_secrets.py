"""Secrets on AWS: calls, faults, and what a machine gets then."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import pytest

from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.sigv4 import Credentials
from lambda_matchbox.aws.secrets import SecretSettings, StackSecrets, arns_by_name
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.policy import Policy
from lambda_matchbox.secrets.cache import MAX_SECONDS, CachedSecrets
from lambda_matchbox.secrets.stores import UnsafeSecretError
from tests.rigs.faults import Fault, Hang, PassThrough, Refuse, Respond
from tests.rigs.service import Service
from tests.rigs.tcp_fault import FaultProxy, fault_proxy
from tests.unit.web.gated_server import Server

CANARY = "c4n4ry-v4lu3"
PREFIX = "/matchbox/stack"
SOON = 0.4
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"


def refusal(code: str, message: str, status: int = 400) -> Respond:
    body = json.dumps({"__type": code, "message": message}).encode()
    return Respond(status, "Bad Request", "application/x-amz-json-1.1", body)


THROTTLED = refusal("ThrottlingException", "Rate exceeded")
DENIED = refusal("AccessDeniedException", "not authorized to perform: ssm:GetParameters")
KEY_DENIED = refusal("AccessDeniedException", "The ciphertext refers to a customer master key that does not exist")


class Aws(NamedTuple):
    """Parameter Store and Secrets Manager behind a proxy, and a store over them."""

    service: Service
    proxy: FaultProxy
    store: StackSecrets


@pytest.fixture
def aws(moto_server: Service) -> Iterator[Aws]:
    with ExitStack() as opened:
        proxy = opened.enter_context(fault_proxy(moto_server.endpoint))
        http = opened.enter_context(closing(HttpClient(read_timeout=SOON / 2)))
        ssm = opened.enter_context(closing(moto_server.client("ssm")))
        client = opened.enter_context(closing(moto_server.client("secretsmanager")))
        names = [f"{PREFIX}/{name}" for name in ("token", *map(str, range(11)))]
        for name in names:
            ssm.put_parameter(Name=name, Value=CANARY, Type="SecureString")
        arns = [
            client.create_secret(Name="join", SecretString=CANARY)["ARN"],
            client.create_secret(Name="binary", SecretBinary=CANARY)["ARN"],
        ]
        settings = SecretSettings(PREFIX, arns_by_name(",".join(arns)), proxy.endpoint, proxy.endpoint)
        credentials = Credentials(moto_server.access_key, moto_server.secret_key)
        yield Aws(
            moto_server,
            proxy,
            StackSecrets(settings, moto_server.region, lambda: credentials, http, call_timeout=30),
        )
        ssm.delete_parameters(Names=names[:10])
        ssm.delete_parameters(Names=names[10:])
        for arn in arns:
            client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


@pytest.fixture
def soon(aws: Aws) -> StackSecrets:
    """The store, which gives up soon."""
    aws.store._call_timeout = SOON
    return aws.store


def test_ten_parameters_are_one_call(aws: Aws) -> None:
    names = [str(number) for number in range(11)]
    aws.proxy.forget_requests()
    assert len(aws.store.values(names[:10])) == 10
    assert aws.proxy.requests() == {"GetParameters": 1}
    assert len(aws.store.values(names)) == 11
    assert aws.proxy.requests() == {"GetParameters": 3}
    assert aws.store.values(["sm:join"]) == {"sm:join": CANARY}
    assert aws.proxy.requests() == {"GetParameters": 3, "GetSecretValue": 1}


@pytest.mark.parametrize("name", ["token", "sm:join"])
@pytest.mark.parametrize("fault", [THROTTLED, refusal("InternalServerError", "", 500), Hang(), Refuse()], ids=str)
def test_a_store_that_does_not_answer_is_away(aws: Aws, soon: StackSecrets, name: str, fault: Fault) -> None:
    aws.proxy.switch(fault)
    with pytest.raises(StoreUnavailableError, match="no response from 127"):
        soon.values([name])
    aws.proxy.switch(PassThrough())


def test_a_throttled_call_is_made_again(aws: Aws) -> None:
    aws.proxy.switch(THROTTLED, times=2)
    assert aws.store.values(["token"]) == {"token": CANARY}


@pytest.mark.parametrize(
    ("name", "permission"),
    [
        ("token", f"ssm:GetParameters below {PREFIX}/, and kms:Decrypt on the key of their values"),
        ("sm:join", f"secretsmanager:GetSecretValue on {ARN}join-"),
    ],
)
@pytest.mark.parametrize("fault", [DENIED, KEY_DENIED], ids=["role", "key"])
def test_a_refusal_names_the_permission(aws: Aws, name: str, permission: str, fault: Fault) -> None:
    aws.proxy.switch(fault)
    with pytest.raises(AWSError) as caught:
        aws.store.values([name])
    assert f"the server needs {permission}" in str(caught.value)


def test_where_a_role_decides_every_secret_is_asked_for(aws: Aws) -> None:
    aws.store._settings = aws.store._settings._replace(arns=arns_by_name("*"))
    assert aws.store.values(["sm:join", "sm:absent"]) == {"sm:join": CANARY}


def test_a_binary_secret_is_refused(aws: Aws) -> None:
    with pytest.raises(UnsafeSecretError, match="secret 'sm:binary' is not text"):
        aws.store.values(["sm:binary"])


def test_without_a_prefix_no_parameter_is_read(aws: Aws) -> None:
    aws.store._settings = aws.store._settings._replace(prefix="")
    aws.proxy.forget_requests()
    with pytest.raises(UnsafeSecretError, match="MATCHBOX_SECRETS is not set"):
        aws.store.values(["token"])
    assert not aws.proxy.requests()


@pytest.mark.parametrize(
    "arn", ["x", f"{ARN}join", f"{ARN}join-abc", "arn:aws:s3:::bucket", f"{ARN}a:b-abcdef", f"{ARN}-abcdef"]
)
def test_what_is_no_full_arn_is_refused(arn: str) -> None:
    with pytest.raises(ValueError, match="is not the full ARN of a secret"):
        arns_by_name(f"{ARN}a-abcdef,{arn}")


def test_the_name_of_a_secret_is_that_of_its_arn_without_the_suffix() -> None:
    assert arns_by_name(f"{ARN}prod/join-token-AbCdE1") == {"prod/join-token": f"{ARN}prod/join-token-AbCdE1"}


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        (THROTTLED, 503, "ThrottlingException"),
        (Hang(), 503, "no response from"),
        (DENIED, 500, "ssm:GetParameters"),
    ],
    ids=["throttled", "slow", "denied"],
)
def test_a_boot_waits_for_a_store_that_is_away(
    aws: Aws, soon: StackSecrets, tmp_path: Path, fault: Fault, status: int, reason: str
) -> None:
    server = Server(Policy(token=True), tmp_path, secrets=CachedSecrets(soon))
    with closing(server.machines):
        server.catalog.templates["generic", "g"] = b'{{secret "token"}}'
        aws.proxy.switch(fault)
        response = server.get("generic", token=server.token())
        assert response.status == status
        assert ("retry-after" in response.headers) == (status == 503)
        assert reason in str(server.line["reason"])
        aws.proxy.switch(PassThrough())
        soon._call_timeout = 30
        assert server.get("generic", token=server.token()).body == CANARY.encode()
    assert CANARY not in server.log.getvalue()


def test_a_secret_that_is_deleted_between_two_boots_is_given_for_five_minutes(aws: Aws, tmp_path: Path) -> None:
    now = [0.0]
    server = Server(Policy(token=True), tmp_path, secrets=CachedSecrets(aws.store, lambda: now[0]))
    with closing(server.machines), closing(aws.service.client("ssm")) as ssm:
        server.catalog.templates["generic", "g"] = b'{{secret "token"}}'
        assert server.get("generic", token=server.token()).body == CANARY.encode()
        ssm.delete_parameter(Name=f"{PREFIX}/token")
        now[0] += MAX_SECONDS / 2
        assert server.get("generic", token=server.token()).body == CANARY.encode()
        now[0] += MAX_SECONDS / 2
        response = server.get("generic", token=server.token())
        assert (response.status, response.body) == (
            500,
            b"template 'g', line 1: secret: there is no secret 'token'\n",
        )
