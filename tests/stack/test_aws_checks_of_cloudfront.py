"""The owner's checks (`make test-aws`) of a stack behind CloudFront: a sound one passes, each fault fails."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from moto.awslambda.models import lambda_backends

from lambda_matchbox.web.app import App
from tests.aws.deployed import Deployed
from tests.rigs.moto_server import MotoService
from tests.rigs.service import REGION, Service
from tests.rigs.stores import Stores, new_stores
from tests.stack.account import Account
from tests.stack.cloudfront.distribution import in_front_of
from tests.stack.cloudfront.front import Front
from tests.stack.cloudfront.viewer_functions import viewer_functions
from tests.stack.owned import ACCOUNT, NAME, create, function_url, owner, run, served
from tests.stack.place import BEHIND_CLOUDFRONT
from tests.stack.resolution import Stack
from tests.support.server_threads import in_thread
from tools.template_translation import Deployment, translations

pytestmark = [pytest.mark.real, pytest.mark.filterwarnings("ignore:Tried to parse")]


def new_stack() -> Stack:
    return Stack(translations([Deployment(BEHIND_CLOUDFRONT)])[0], BEHIND_CLOUDFRONT)


@pytest.fixture(scope="module")
def owners(moto_server: MotoService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with owner(moto_server) as made:
        create(moto_server, BEHIND_CLOUDFRONT, "http://127.0.0.1:1", tmp_path_factory.mktemp("template"))
        yield made


@pytest.fixture(scope="module")
def stores(owners: Account, moto_server: MotoService, versitygw: Service) -> Stores:
    made = new_stores(moto_server, versitygw)
    made.create()
    return made


@pytest.fixture(scope="module")
def app(owners: Account, stores: Stores) -> Iterator[App]:
    with served(stores) as made:
        yield made


@contextmanager
def behind_cloudfront(stack: Stack, stores: Stores, handle: Any, owners: Account, scratch: Path) -> Iterator[Deployed]:
    """The deployed stack, with that distribution and function."""
    functions = {"BootApi": SimpleNamespace(invoke=handle)}
    with (
        in_front_of(functions, stack, stores, scratch, domain="localhost") as door,
        in_thread(Front(0, lambda request, _: door.origins["<BootApiUrl.FunctionUrl>"].respond(request))) as url,
        viewer_functions(stack) as owners.functions,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("SSL_CERT_FILE", str(door.authority))
        deployed = Deployed(NAME, REGION)
        deployed.plain, deployed.base = f"http://127.0.0.1:{door.port}", f"https://localhost:{door.https_port}"
        deployed.resources["DoorFunction"] = "arn:aws:cloudfront::123456789012:function/matchbox"
        with function_url(deployed, f"http://127.0.0.1:{url.server_address[1]}"):
            yield deployed


@pytest.fixture(scope="module")
def sound(app: App, stores: Stores, owners: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    scratch = tmp_path_factory.mktemp("tls")
    with behind_cloudfront(new_stack(), stores, app.handle, owners, scratch) as deployed:
        yield deployed


CHECKS = (
    *("cold", "addresses", "queries", "paths", "head", "range", "http10", "shared", "errors", "https_only", "times"),
    *("function_url", "networks", "client"),
)


@pytest.mark.parametrize("check", CHECKS)
def test_sound_stack_passes(check: str, sound: Deployed) -> None:
    run(check, sound)


def distribution(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = stack.properties("Distribution")["DistributionConfig"]
    return found


def own_cache_policy(stack: Stack) -> None:
    distribution(stack)["DefaultCacheBehavior"]["CachePolicyId"] = "<AssetCachePolicy>"
    stack.properties("AssetCachePolicy")["CachePolicyConfig"]["MinTTL"] = 60


def bucket_for_https_only(stack: Stack) -> None:
    denied = next(
        each for each in stack.properties("BucketPolicy")["PolicyDocument"]["Statement"] if each["Sid"] == "TlsForReads"
    )
    denied["Resource"] = "<Bucket.Arn>/*"
    del denied["Condition"]["StringNotEquals"]


def bucket_without_lists(stack: Stack) -> None:
    document = stack.properties("BucketPolicy")["PolicyDocument"]
    document["Statement"] = [each for each in document["Statement"] if each["Sid"] != "MissingObjectsAreNotFound"]


def kept_errors(stack: Stack) -> None:
    distribution(stack)["CustomErrorResponses"] = []


def plain_configurations(stack: Stack) -> None:
    for behavior in distribution(stack)["CacheBehaviors"]:
        behavior["ViewerProtocolPolicy"] = "allow-all"


def one_permission(stack: Stack) -> None:
    del stack.resources["DistributionMayInvoke"]


def code(old: str, new: str) -> Callable[[Stack], None]:
    """A change of the function at the edge."""

    def changed(stack: Stack) -> None:
        function = stack.properties("DoorFunction")
        assert old in function["FunctionCode"]
        function["FunctionCode"] = function["FunctionCode"].replace(old, new)

    return changed


WRITES_VIEWER = "request.headers['x-boot-viewer'] = {value: event.viewer.ip};"


@pytest.mark.parametrize(
    ("check", "fault", "said"),
    [
        ("addresses", one_permission, "/ gave 403 .*urls-auth.html"),
        ("queries", code("return request;", "request.querystring.z = {value: '1'}; return request;"), "arrived as"),
        ("paths", code(r"request.uri.replace(/\/+/g, '/')", "request.uri"), r"//assets/\S+ gave 403 .*cwduri"),
        ("paths", one_permission, "/profiles/a%20b%2Fc gave 403 .*: CloudFront's signature does not hold"),
        ("shared", own_cache_policy, "machines got responses of others"),
        ("cold", bucket_for_https_only, r"an asset that is not there gave 403 .*TlsForReads"),
        ("cold", bucket_without_lists, r"an asset that is not there gave 403 "),
        ("errors", kept_errors, "was asked for twice, and S3 once"),
        ("https_only", plain_configurations, "HEAD /ignition by http gave 404: compare the behaviour"),
        ("networks", code("127.0.0.0/8", "127.0.0.0/8,192.0.0.0/8"), r"for 192\.0\.2\.1: compare AllowedCidrs"),
        ("networks", code(WRITES_VIEWER, ""), r"127\.0\.0\.0 can pass for 198\.51\.100\.7"),
        ("networks", code("const request", "nothing(); const request"), "the function fails for"),
        ("client", code(WRITES_VIEWER, ""), "machines can say that they are others"),
    ],
)
def test_fault_fails(
    check: str, fault: Callable[[Stack], None], said: str, app: App, stores: Stores, owners: Account, tmp_path: Path
) -> None:
    stack = new_stack()
    fault(stack)
    with (
        behind_cloudfront(stack, stores, app.handle, owners, tmp_path) as deployed,
        pytest.raises(AssertionError, match=said),
    ):
        run(check, deployed)


def test_head_without_a_length_fails(app: App, stores: Stores, owners: Account, tmp_path: Path) -> None:
    def handle(event: Any) -> Any:
        response = app.handle(event)
        return (
            response if event["requestContext"]["http"]["method"] == "GET" else response | {"body": "", "headers": {}}
        )

    with (
        behind_cloudfront(new_stack(), stores, handle, owners, tmp_path) as deployed,
        pytest.raises(AssertionError, match=r"HEAD /boot\.ipxe gave 200 .* with content-length None"),
    ):
        run("head", deployed)


def test_open_function_url_fails(app: App, stores: Stores, owners: Account, tmp_path: Path) -> None:
    with behind_cloudfront(new_stack(), stores, app.handle, owners, tmp_path) as deployed:
        made = lambda_backends[ACCOUNT][REGION].get_function(deployed.resources["BootApi"]).url_config
        made.url = deployed.plain
        with pytest.raises(AssertionError, match=r"gave 200 '#!ipxe"):
            run("function_url", deployed)
