"""The function that CloudFront runs for each request, in Node.

It uses nothing that CloudFront's JavaScript runtime 2.0 lacks (CloudFront's guide, "JavaScript runtime 2.0 features").
"""

import json
import subprocess
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from lambda_matchbox.aws.releases.copies import _released_key
from tests.rigs.install import on_path
from tests.stack.conftest import CLOUDFRONT
from tests.stack.resolution import Stack, stacks
from tools.template_translation import Deployment

pytestmark = pytest.mark.real

DIGEST = f"sha256:{'0123456789abcdef' * 4}"


@pytest.fixture(scope="module")
def door() -> Stack:
    return stacks([Deployment(CLOUDFRONT)])[0]


@pytest.fixture(scope="module")
def networks() -> Stack:
    return stacks([Deployment({**CLOUDFRONT, "AllowedCidrs": ",".join(NETWORKS)})])[0]


def run(stack: Stack, event: dict[str, Any]) -> dict[str, Any]:
    """What the function at the edge makes of an event, in Node."""
    code = stack.properties("DoorFunction")["FunctionCode"]
    program = f"{code}\nconsole.log(JSON.stringify(JSON.parse(process.argv[1]).map(event => handler(event))))"
    done = subprocess.run(
        [on_path("node", "nodejs"), "--use_strict", "-e", program, json.dumps([event])],
        capture_output=True,
        text=True,
        check=True,
    )
    [answer] = json.loads(done.stdout)
    found: dict[str, Any] = answer
    return found


def request_of(
    stack: Stack, uri: str, viewer: str = "203.0.113.9", query: dict[str, Any] | None = None, **headers: str
) -> dict[str, Any]:
    """An event of a viewer's request (CloudFront's guide, "Event structure")."""
    named = {name.replace("_", "-"): {"value": value} for name, value in headers.items()}
    request = {"method": "GET", "uri": uri, "querystring": query or {}, "headers": named, "cookies": {}}
    context = {"distributionDomainName": "d111111abcdef8.cloudfront.net", "distributionId": "E1", "requestId": "r"}
    return run(
        stack,
        {"version": "1.0", "context": context | {"eventType": "viewer-request"}, "viewer": {"ip": viewer}}
        | {"request": request},
    )


def test_viewer_and_host_are_the_distributions_word(door: Stack) -> None:
    made = request_of(door, "/ipxe", x_boot_viewer="10.0.0.1", x_boot_host="evil.example", host="boot.example")
    assert {"x-boot-viewer": "203.0.113.9", "x-boot-host": "d111111abcdef8.cloudfront.net", "host": "boot.example"} == {
        name: each["value"] for name, each in made["headers"].items()
    }
    assert ("/ipxe", {}) == (made["uri"], made["querystring"])


def test_release_of_an_asset_becomes_part_of_its_path(door: Stack) -> None:
    """The key of the copy, which asset_sync has made."""
    origins = door.properties("Distribution")["DistributionConfig"]["Origins"]
    [origin] = [each for each in origins if "OriginPath" in each]
    for given in (DIGEST, DIGEST.replace(":", "%3A"), DIGEST.replace(":", "%3a")):
        made = request_of(door, "/assets/talos/a%20file", query={"release": {"value": given}})
        key = f"{origin['OriginPath'][1:]}{made['uri']}".replace("%20", " ")
        assert _released_key("talos/a file", DIGEST) == key
    first = {"value": "x", "multiValue": [{"value": DIGEST}, {"value": "x"}]}
    assert request_of(door, "/assets/a", query={"release": first})["uri"].endswith(DIGEST[7:])


@pytest.mark.parametrize("given", ["", "x", "sha256:1", f"{DIGEST}/../x", DIGEST.upper(), f"{DIGEST}0"])
def test_what_is_no_digest_is_no_release(door: Stack, given: str) -> None:
    made = request_of(door, "/assets/a", query={"release": {"value": given}})
    assert "/assets/a.release-unknown" == made["uri"]


@pytest.mark.parametrize("uri", ["/assets/a", "/assets/", "/assets/talos/", "/ipxe", "/profiles/a"])
def test_other_paths_are_as_they_were_sent(door: Stack, uri: str) -> None:
    release = {} if uri == "/assets/a" else {"release": {"value": DIGEST}}
    assert uri == request_of(door, uri, query=release)["uri"]


NETWORKS = [
    "203.0.113.128/25",
    "198.51.100.7/32",
    "10.0.0.0/8",
    "192.0.2.0/23",
    "2001:db8::/33",
    "2001:db8:8000:1::2/128",
]
VIEWERS = [
    *("203.0.113.127", "203.0.113.128", "203.0.113.255", "198.51.100.7", "198.51.100.6", "10.255.0.1", "11.0.0.1"),
    *("192.0.3.255", "192.0.4.0", "2001:db8::1", "2001:db8:7fff:ffff::", "2001:db8:8000::", "2001:db8:8000:1::2"),
    *("2001:db8:8000:1::3", "::1", "::", "2001:db8:1:2:3:4:5:6", "1::", "::ffff"),
]


@pytest.mark.parametrize("viewer", VIEWERS)
def test_only_these_networks_are_admitted(networks: Stack, viewer: str) -> None:
    expected = any(ip_address(viewer) in ip_network(network, strict=False) for network in NETWORKS)
    answer = request_of(networks, "/ipxe", viewer)
    assert expected == ("uri" in answer)
    if not expected:
        assert (403, {"encoding": "text", "data": f"{viewer} is in no network of AllowedCidrs\n"}) == (
            answer["statusCode"],
            answer["body"],
        )


def test_everybody_is_admitted_only_if_the_operator_says_so() -> None:
    nobody, everybody, networks = stacks(
        [
            Deployment({**CLOUDFRONT, "AllowedCidrs": "", "AllowEverybody": "no"}),
            Deployment({**CLOUDFRONT, "AllowedCidrs": "", "AllowEverybody": "yes"}),
            Deployment({**CLOUDFRONT, "AllowEverybody": "yes"}),
        ]
    )
    assert [403, None, 403] == [
        request_of(each, "/", "9.9.9.9").get("statusCode") for each in (nobody, everybody, networks)
    ]


@pytest.mark.parametrize("network", ["2001:zz8::/32", "2001:db8::1::/16", "1:2:3/16", "2001:db8::"])
def test_malformed_network_admits_nobody(network: str) -> None:
    """The parameter's pattern does not know all of IPv6."""
    [stack] = stacks([Deployment({**CLOUDFRONT, "AllowedCidrs": network})])
    assert [403] * 2 == [request_of(stack, "/", viewer)["statusCode"] for viewer in ("2001:db8::1", "2001::")]


def test_function_fits_cloudfronts_limit() -> None:
    """With the longest list that the parameter takes (10 KB; CloudFront's guide, "Quotas")."""
    [stack] = stacks([Deployment({**CLOUDFRONT, "AllowedCidrs": "x" * 4000})])
    assert len(stack.properties("DoorFunction")["FunctionCode"].encode()) <= 10_240
