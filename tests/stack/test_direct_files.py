"""Files that machines get from the bucket itself, where the stack behind CloudFront knows their VPC's endpoint."""

import re

import pytest

from lambda_matchbox.aws.keys import release_prefix
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.web.wiring import lambda_app
from tests.contract.release_subjects import on_stores, pointer
from tests.rigs.service import Service
from tests.stack.cloudfront.bucket import Bucket
from tests.stack.conftest import CLOUDFRONT, KEY
from tests.stack.resolution import NAME, stacks
from tests.unit.web.test_function_url import event
from tools.template_translation import Deployment

pytestmark = pytest.mark.system

ENDPOINT = "vpce-0123456789abcdef0"
ADDRESS = f"http://{NAME}.s3.eu-central-1.amazonaws.com/"
ONE, TWO = (f"sha256:{letter * 64}" for letter in "12")


def test_scripts_name_files_of_one_release_that_the_endpoint_may_read(moto_server: Service) -> None:
    """Also after another release has become the current one."""
    [stack] = stacks([Deployment({**CLOUDFRONT, "S3EndpointId": ENDPOINT})])
    of_stack = {name: stack.environment("BootApi")[name] for name in ("MATCHBOX_BUCKET_URL", "MATCHBOX_DIRECT_FILES")}
    with on_stores(moto_server, moto_server) as stored:
        stores, store, writer = stored.stores, stored.subject.store("arm"), stored.stores.writer()
        clients = stores.clients()
        for digest in (ONE, TWO):
            for name in ("vmlinuz", "initramfs.xz"):
                key = release_prefix("arm", f"directory-{digest}") + name
                clients.s3.put_object(Bucket=stores.name, Key=key, Body=digest.encode())
        stores.put_asset("own", b"own")
        store.move(None, pointer(ONE))
        initrds = ("/assets/talos/arm64/initramfs.xz", "/assets/own")
        writer.put_profile(Profile("p", boot=NetBoot("/assets/talos/arm64/vmlinuz", initrds)))
        writer.put_group(Group("g", profile="p"))
        app = lambda_app(stores.environment() | of_stack)
        scripts = [app.handle(event(path))["body"] for path in ("/ipxe", "/grub")]
        store.move(pointer(ONE), pointer(TWO, ONE))
        found = [
            re.findall(r"https?://\S+", scripts[0]),
            [f"http://{host}/{path}" for host, path in re.findall(r"\(http,([^)]*)\)/([^\s\"]*)", scripts[1])],
        ]
        keys = [[address.removeprefix(ADDRESS) for address in each] for each in found]
        assert [ONE.encode(), ONE.encode(), b"own"] == [clients.body(key) for key in keys[0]]
        assert set(keys[0]) == set(keys[1])
        bucket = Bucket(stack, stores.name, moto_server, {})
    assert [True] * 3 == [allowed(bucket, key, ENDPOINT) for key in keys[0]]
    assert [False] * 6 == [allowed(bucket, key, other) for key in keys[0] for other in ("", "vpce-0fedcba9876543210")]
    assert [False] * 2 == [allowed(bucket, key, ENDPOINT) for key in ("templates/x", "answers/x")]


def allowed(bucket: Bucket, key: str, endpoint: str) -> bool:
    """Whether anybody may read it by http through the endpoint."""
    return bucket.allowed("s3:GetObject", f"<Bucket.Arn>/{key}", None, secure=False, endpoint=endpoint)


def test_either_address_is_for_ipxe_behind_cloudfront_only() -> None:
    """Also in what is signed. A change of the door makes new versions of the functions."""
    given = [{}, {"S3EndpointId": ENDPOINT}, {"TokenFreeAddress": "http://cache.example"}]
    doors = stacks([Deployment({**KEY, **door, **each}) for door in (CLOUDFRONT, {}) for each in given])
    for name in ("BootApi", "SignedApi"):
        found = [each.environment(name).get("MATCHBOX_DIRECT_FILES") for each in doors]
        assert [None, "true", "true", None, None, None] == found
    described = [next(iter(each.of_type("AWS::Lambda::Version").values()))["Description"] for each in doors]
    assert len(given) + 2 == len({*described})
