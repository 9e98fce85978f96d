"""The stack behind the emulator's CloudFront, deployed at a terminal by `sam deploy --guided`."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conformance.http_exchange import exchange
from tests.conformance.recordings import Recording, Response
from tests.rigs.ministack import Ministack
from tests.rigs.oci_registry import OciRegistry
from tests.stack.cloudfront.messages import Headers, Request
from tests.stack.cloudfront.signatures import Principal, signed
from tests.stack.cloudfront.test_signatures import QUERIES
from tests.stack.conftest import PROCESSOR
from tests.stack.dialogue import Dialogue, dialogue
from tests.stack.ministack.behind_cloudfront import LOCALHOST, asked, let_everybody_ask_the_functions, serve_assets_from
from tests.stack.ministack.conftest import Signing
from tests.stack.ministack.deployment import SAM, Deployed, deployed
from tests.stack.ministack.template import adapted
from tests.support.images.layers import Entry, gzipped
from tests.support.images.manifests import image
from tests.support.openpgp.independent import is_signed
from tools.template_translation import PROJECT

pytestmark = [pytest.mark.real, pytest.mark.nightly]

DOCUMENTATION = (PROJECT / "docs" / "deploy.md").read_text()
MACHINE = "arch=arm64&mac=52-54-00-00-00-01&uuid=6b9f1f2e-03c5-4d1a-9a57-000000000001"
OTHERWISE_SIGNED = {"a=1+2": 403, "a=%FF": 403, "uuid=\u00fc": 400}
"""What the emulator responds to queries that it signs in another way than the local CloudFront does."""

FILES = {"vmlinuz": b"kernel of a release", "initramfs.xz": b"initramfs"}


@pytest.fixture(scope="module")
def directory(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make build` leaves, as the emulator takes it."""
    made = tmp_path_factory.mktemp("guided")
    (made / "template.yaml").write_text(json.dumps(adapted(built)))
    shutil.copy(PROJECT / "samconfig.toml", made)
    return made


@pytest.fixture(scope="module")
def guided(ministack: Ministack, directory: Path, signing: Signing, oci_registry: OciRegistry) -> Dialogue:
    """What is said if two questions are answered for CloudFront, some for the tests, and none about a VPC."""
    files = [Entry(f"output/talos/arm64/{name}", content) for name, content in FILES.items()]
    answers = {
        "FrontDoor": "cloudfront",
        "AllowedCidrs": "127.0.0.1/32",
        "SourceImage": oci_registry.push(image([gzipped(*files)]), "guided/talos", "v1"),
        "SigningKeySecret": signing.secret,
        "SigningKeySecretKey": signing.key,
        "Architecture": PROCESSOR,
        # The emulator has no budgets.
        "MonthlyBudget": "0",
    }
    environment = {**ministack.environment(), "HOME": str(directory), "SAM_CLI_TELEMETRY": "0"}
    return dialogue(
        [SAM, "deploy", "--guided"],
        lambda question: answers.get(question.removeprefix("Parameter "), ""),
        directory=directory,
        environment=environment,
    )


@pytest.fixture(scope="module")
def signed_only(ministack: Ministack, guided: Dialogue) -> Deployed:
    """The stack as it has been deployed."""
    assert 0 == guided.status, guided.said[-5000:]
    return deployed(ministack, "matchbox")


@pytest.fixture(scope="module")
def stack(signed_only: Deployed) -> Deployed:
    """With a release, which asset_sync has fetched, an example's data, and open function URLs."""
    signed_only.command("init")
    with closing(signed_only.account.client("lambda")) as client:
        response = client.invoke(FunctionName=signed_only.resources["AssetSync"], Payload="{}")
    assert "FunctionError" not in response, response["Payload"].read()
    signed_only.command("talos", "secrets", "--cluster", "cozystack-demo")
    signed_only.command("import", str(PROJECT / "examples" / "talos"))
    let_everybody_ask_the_functions(signed_only)
    return signed_only


def test_deployment_ends_with_the_outputs_that_the_documentation_names(guided: Dialogue, signed_only: Deployed) -> None:
    shown = re.findall(r"^Key +(\w+)", guided.said, re.MULTILINE)
    assert sorted(signed_only.outputs) == sorted(shown)
    assert set(re.findall(r"output `(\w+)`", DOCUMENTATION)) <= set(shown)
    assert f"http://{signed_only.host}/boot.ipxe" in guided.said.split()
    assert f"https://{signed_only.host}/" == signed_only.outputs["ConfigurationUrl"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"FrontDoor": "cloudfront"}, "set AllowedCidrs to the machines' addresses as the internet sees them; or set"),
        ({"FrontDoor": "cloudfront", "AllowedCidrs": "0.0.0.0/0"}, "CIDR blocks such as 203.0.113.0/24,2001:db8::/48"),
        ({"AllowedCidr": "10.0.0.0/16", "SubnetIds": "subnet-1,subnet-2"}, "set VpcId to the VPC of the load balancer"),
        ({"VpcId": "vpc-1", "SubnetIds": "subnet-1,subnet-2"}, "set AllowedCidr or AllowedPrefixList"),
    ],
)
def test_stack_is_refused_that_lacks_what_its_door_needs(
    ministack: Ministack, directory: Path, given: dict[str, str], reason: str
) -> None:
    """By the template's parameters and rules; a template with all resources is too long for this call.

    The rule for SubnetIds is not among them: an empty list has one member on AWS, an empty text, and none here.
    """
    template = json.loads((directory / "template.yaml").read_text())
    short = {name: template[name] for name in ("Parameters", "Rules")}
    body = json.dumps({**short, "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()]
    with (
        closing(ministack.client("cloudformation")) as client,
        pytest.raises(ClientError, match=re.escape(reason)),
    ):
        client.create_stack(StackName="refused", TemplateBody=body, Parameters=parameters)


@pytest.fixture(scope="module")
def users(ministack: Ministack) -> dict[str, Ministack]:
    """The account with the credentials of two users, one of which may ask function URLs."""
    with closing(ministack.client("iam")) as iam:
        made = {}
        for name in ("nobody", "somebody"):
            iam.create_user(UserName=name)
            key = iam.create_access_key(UserName=name)["AccessKey"]
            made[name] = replace(ministack, access_key=key["AccessKeyId"], secret_key=key["SecretAccessKey"])
        statement = {"Effect": "Allow", "Action": "lambda:InvokeFunctionUrl", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName="somebody", PolicyName="ask", PolicyDocument=policy)
    return made


@pytest.mark.parametrize("url", ["BootApiUrl", "SignedApiUrl"])
def test_functions_are_asked_by_signed_requests_of_permitted_users_only(
    signed_only: Deployed, users: dict[str, Ministack], url: str
) -> None:
    def status(user: str | None, signed: Request, sent: Request) -> int:
        return _sent_to(signed_only, url, users[user] if user else None, signed, sent).status

    script, other = _request("arch=arm64"), _request("arch=amd64")
    assert 403 == status(None, script, script)
    assert 403 == status("nobody", script, script)
    assert 403 == status("somebody", script, other)
    assert 404 == status("somebody", script, script)


@pytest.mark.parametrize("query", QUERIES)
def test_signatures_of_the_local_cloudfront_hold(
    signed_only: Deployed, users: dict[str, Ministack], query: str
) -> None:
    """The emulator verifies them in its own way."""
    request = _request(query)
    expected = OTHERWISE_SIGNED.get(query, 404)
    assert expected == _sent_to(signed_only, "BootApiUrl", users["somebody"], request, request).status


def _request(query: str) -> Request:
    return Request("GET", "/metadata", query, (), secure=True, client=LOCALHOST)


def _sent_to(stack: Deployed, url: str, user: Ministack | None, signed_for: Request, sent: Request) -> Response:
    """The response to one request with the signature of another, for none of them groups are there yet."""
    name, _, alias = stack.resources[url].partition(":")
    with closing(stack.account.client("lambda")) as client:
        host = client.get_function_url_config(FunctionName=name, Qualifier=alias)["FunctionUrl"].split("/")[2]
    headers: Headers = ()
    if user is not None:
        principal = Principal("", "", user.access_key, user.secret_key)
        headers = signed(signed_for, host, "lambda", user.region, principal)
    recording = Recording("", sent.method, sent.target, dict(headers), Response(0, {}, b""))
    return exchange(stack.account.plain_port, recording, host)


def test_machine_gets_its_script_by_http_and_its_configuration_by_https(stack: Deployed) -> None:
    assert b"#!ipxe\nchain ipxe?uuid=" == asked(stack, "/boot.ipxe").body[:23]
    script = asked(stack, f"/ipxe?{MACHINE}").body.decode()
    token, base = re.findall(r"^set (?:token|base) (.*)$", script, re.MULTILINE)
    assert f"https://{stack.host}/" == base
    configuration = f"/ignition?{MACHINE}&token={token}"
    assert 403 == asked(stack, f"/ignition?{MACHINE}", tls=True).status
    refused = asked(stack, configuration)
    assert (403, True) == (refused.status, b"HTTPS" in refused.body)
    assert 200 == asked(stack, configuration, tls=True).status
    head = asked(stack, f"/ipxe?{MACHINE}", method="HEAD")
    assert (200, b"", "no-store") == (head.status, head.body, head.headers["cache-control"])
    assert int(head.headers["content-length"]) > 100


def test_signatures_verify_the_other_functions_responses(stack: Deployed) -> None:
    plain, signature = (asked(stack, f"/ipxe{suffix}?arch=arm64&mac=52-54-00-00-00-02") for suffix in ("", ".sig"))
    assert (200, 200) == (plain.status, signature.status), signature.body
    assert is_signed(signature.body, plain.body)


@pytest.mark.parametrize("target", ["/", "/boot.ipxe", "/assets/", "/assets/talos/arm64/vmlinuz", "/ipxe.sig"])
def test_other_networks_are_refused_at_the_edge(stack: Deployed, target: str) -> None:
    refused = asked(stack, target, viewer="127.0.0.2")
    assert (403, b"127.0.0.2 is in no network of AllowedCidrs\n") == (refused.status, refused.body)


def test_logged_client_is_the_address_that_cloudfront_saw(stack: Deployed) -> None:
    asked(stack, "/metadata/none", {"X-Forwarded-For": "203.0.113.9", "X-Boot-Viewer": "203.0.113.9"}, tls=True)
    with closing(stack.account.client("logs")) as logs:
        events = logs.filter_log_events(logGroupName=stack.resources["BootApiLog"])["events"]
    lines = [json.loads(each["message"]) for each in events if each["message"].startswith("{")]
    assert ["127.0.0.1"] == [line["client"] for line in lines if line.get("path") == "/metadata/none"]


@pytest.fixture(scope="module")
def release(stack: Deployed) -> str:
    """The digest of the release."""
    digest: str = re.findall(r"sha256:[0-9a-f]{64}", stack.command("releases", "talos-arm64"))[0]
    return digest


def test_releases_come_from_their_copies(stack: Deployed, release: str) -> None:
    """By the stable name and by an address with the release; nothing is redirected."""
    serve_assets_from(stack, "releases")
    for target in ("/assets/talos/arm64/vmlinuz", f"/assets/talos/arm64/vmlinuz?release={release}"):
        _is_served(stack, target, FILES["vmlinuz"])
    for absent in (f"sha256:{64 * '0'}", "latest"):
        assert 403 == asked(stack, f"/assets/talos/arm64/vmlinuz?release={absent}").status


def test_own_files_come_from_the_bucket(stack: Deployed) -> None:
    stack.stores.put_asset("own/a file", b"of the operator")
    serve_assets_from(stack, "own")
    _is_served(stack, "/assets/own/a%20file", b"of the operator")
    assert 403 == asked(stack, "/assets/own/absent").status


def _is_served(stack: Deployed, target: str, content: bytes) -> None:
    assert (200, content) == _got(asked(stack, target))
    head = asked(stack, target, method="HEAD")
    assert (200, b"", str(len(content))) == (head.status, head.body, head.headers["content-length"])
    part = asked(stack, target, {"Range": "bytes=2-5"})
    assert (206, content[2:6], f"bytes 2-5/{len(content)}") == (*_got(part), part.headers["content-range"])


def _got(response: Response) -> tuple[int, bytes]:
    return response.status, response.body


def test_listings_come_from_the_function(stack: Deployed) -> None:
    assert b'<a href="vmlinuz">' in asked(stack, "/assets/talos/arm64/").body


@pytest.fixture
def another(stack: Deployed) -> Iterator[Deployed]:
    """Another distribution with the same origins and the same access."""
    with closing(stack.account.client("cloudfront", Config(parameter_validation=False))) as client:
        config: dict[str, Any] = client.get_distribution_config(Id=stack.resources["Distribution"])[
            "DistributionConfig"
        ]
        made = client.create_distribution(DistributionConfig={**config, "CallerReference": "another"})["Distribution"]
        yield replace(stack, outputs={**stack.outputs, "BootUrl": f"http://{made['DomainName']}/boot.ipxe"})


def test_bucket_gives_another_distribution_nothing(stack: Deployed, another: Deployed) -> None:
    stack.stores.put_asset("own/file", b"of the operator")
    serve_assets_from(stack, "own")
    assert [200, 403] == [asked(each, "/assets/own/file").status for each in (stack, another)]
