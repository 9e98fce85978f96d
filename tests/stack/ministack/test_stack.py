"""From `sam deploy` to a machine's files, and what the stack's roles and bucket refuse."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from tests.conformance.http_exchange import exchange
from tests.conformance.recordings import Recording, Response
from tests.rigs.ministack import ACCOUNT, Ministack
from tests.stack.ministack.calls import NEEDED, ROLES, Call, calls, neighbours, permitted
from tests.stack.ministack.conftest import Signing
from tests.stack.ministack.deployment import Deployed
from tests.support.openpgp.independent import is_signed
from tools.template_translation import PROJECT

pytestmark = pytest.mark.real

LARGE = bytes(2_000_000)


@pytest.fixture(scope="module")
def administrator(ministack: Ministack) -> Ministack:
    """The account with the credentials of a user who has all permissions; the emulator's root passes every policy."""
    with closing(ministack.client("iam")) as iam:
        iam.create_user(UserName="administrator")
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.put_user_policy(UserName="administrator", PolicyName="all", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName="administrator")["AccessKey"]
    return replace(ministack, access_key=key["AccessKeyId"], secret_key=key["SecretAccessKey"])


@pytest.fixture(scope="module")
def imported(deployed: Deployed) -> Deployed:
    """With an example's data and secrets, written by the commands that the documentation names."""
    deployed.command("init")
    deployed.command("talos", "secrets", "--cluster", "cozystack-demo")
    deployed.command("import", str(PROJECT / "examples" / "talos"))
    deployed.stores.put_asset("large/vmlinuz", LARGE)
    return deployed


def test_machine_gets_its_script_and_configuration(imported: Deployed) -> None:
    assert b"#!ipxe\nchain ipxe?uuid=" == imported.get("/boot.ipxe").body[:23]
    machine = "arch=arm64&mac=52-54-00-00-00-01&uuid=6b9f1f2e-03c5-4d1a-9a57-000000000001"
    script = imported.get(f"/ipxe?{machine}")
    found = re.fullmatch(
        rb"#!ipxe\nset token ([\w-]+)\nset base http://.*\nkernel /assets/talos/arm64/[^\0]*", script.body
    )
    assert found is not None, script
    assert 403 == imported.get(f"/ignition?{machine}").status
    assert 200 == imported.get(f"/ignition?{machine}&token={found[1].decode()}").status


def test_signatures_verify_the_other_functions_responses(imported: Deployed) -> None:
    plain, signature = (imported.get(f"/ipxe{suffix}?arch=arm64&mac=52-54-00-00-00-02") for suffix in ("", ".sig"))
    assert (200, 200) == (plain.status, signature.status), signature.body
    assert is_signed(signature.body, plain.body)


def test_logged_client_is_the_address_that_the_balancer_saw(imported: Deployed) -> None:
    imported.get("/metadata/none", **{"X-Forwarded-For": "203.0.113.9"})
    with closing(imported.account.client("logs")) as logs:
        events = logs.filter_log_events(logGroupName=imported.resources["BootApiLog"])["events"]
    lines = [json.loads(each["message"]) for each in events if each["message"].startswith("{")]
    assert ["127.0.0.1"] == [line["client"] for line in lines if line.get("path") == "/metadata/none"]


def test_large_file_is_read_from_its_presigned_address(imported: Deployed) -> None:
    redirect = imported.get("/assets/large/vmlinuz", **{"User-Agent": "iPXE/1.21.1"})
    assert 302 == redirect.status
    address = urlsplit(redirect.headers["location"])
    assert "http" == address.scheme

    def asked(query: str) -> Response:
        # The address is that of the emulator's endpoint for functions, which speaks TLS: its other port does not.
        request = Recording("", "GET", f"{address.path}?{query}", {}, Response(0, {}, b""))
        return exchange(imported.account.plain_port, request, address.netloc)

    assert (200, LARGE) == (asked(address.query).status, asked(address.query).body)
    assert 403 == asked(address.query.replace("X-Amz-Expires=", "X-Amz-Expires=1")).status
    assert 403 == asked("").status


def test_bucket_refuses_plain_http_but_for_reads_of_files(imported: Deployed, administrator: Ministack) -> None:
    plain = replace(administrator, endpoint=f"http://127.0.0.1:{administrator.plain_port}", authority=None)
    bucket = imported.outputs["BucketName"]
    asset = {"Bucket": bucket, "Key": "assets/large/vmlinuz"}
    requests = {
        "GetObject": Call("s3", "get_object", asset),
        "GetObject templates": Call("s3", "get_object", {"Bucket": bucket, "Key": "templates/any"}),
        "ListObjectsV2": Call("s3", "list_objects_v2", {"Bucket": bucket}),
        "PutObject": Call("s3", "put_object", {**asset, "Body": b"changed"}),
        "DeleteObject": Call("s3", "delete_object", asset),
    }
    assert {"GetObject"} == permitted(plain, requests)
    assert set(requests) == permitted(administrator, requests)


@pytest.fixture(scope="module")
def every_call(deployed: Deployed, signing: Signing) -> Iterator[dict[str, Call]]:
    with neighbours(deployed.account, signing.key) as beside:
        yield calls(deployed, beside, signing.secret)


@pytest.mark.parametrize("role", ROLES)
def test_role_may_do_what_it_needs_and_nothing_else(role: str, deployed: Deployed, every_call: dict[str, Call]) -> None:
    assert NEEDED[role] == permitted(deployed.role(role), every_call)


def test_only_services_may_assume_the_roles(deployed: Deployed, administrator: Ministack) -> None:
    with closing(administrator.client("sts")) as sts:
        assert sts.get_caller_identity()["Arn"].endswith(":user/administrator")
        for role in ROLES:
            arn = f"arn:aws:iam::{ACCOUNT}:role/{deployed.resources[role]}"
            with pytest.raises(ClientError, match="AccessDenied"):
                sts.assume_role(RoleArn=arn, RoleSessionName="test")
