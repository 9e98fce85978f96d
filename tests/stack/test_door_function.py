"""The function that CloudFront runs for each request, in Node."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from ipaddress import ip_address, ip_network
from typing import Any, TypeAlias
from urllib.parse import quote

import pytest

from lambda_matchbox.aws.releases.copies import _released_key
from tests.stack.cloudfront.messages import Request
from tests.stack.cloudfront.viewer_functions import ViewerFunctions, event_of, viewer_functions
from tests.stack.conftest import CLOUDFRONT
from tests.stack.resolution import stacks
from tools.template_translation import Deployment

pytestmark = pytest.mark.real

DIGEST = f"sha256:{'0123456789abcdef' * 4}"
DOMAIN = "d111111abcdef8.cloudfront.net"

Doors: TypeAlias = Callable[..., ViewerFunctions]


@pytest.fixture(scope="module")
def doors() -> Iterator[Doors]:
    """Makes the functions of a stack with these parameters."""
    with ExitStack() as kept:

        def made(**parameters: str) -> ViewerFunctions:
            [stack] = stacks([Deployment({**CLOUDFRONT, **parameters})])
            return kept.enter_context(viewer_functions(stack))

        yield made


@pytest.fixture(scope="module")
def door(doors: Doors) -> ViewerFunctions:
    return doors()


@pytest.fixture(scope="module")
def networks(doors: Doors) -> ViewerFunctions:
    return doors(AllowedCidrs=",".join(NETWORKS))


def request_of(
    door: ViewerFunctions, path: str, viewer: str = "203.0.113.9", query: str = "", **headers: str
) -> dict[str, Any]:
    """What the function makes of a request."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return door.made("DoorFunction", event_of(Request("GET", path, query, named, True, viewer), DOMAIN))


def test_viewer_and_host_are_the_distributions_word(door: ViewerFunctions) -> None:
    made = request_of(door, "/ipxe", x_boot_viewer="10.0.0.1", x_boot_host="evil.example", host="boot.example")
    assert {"x-boot-viewer": "203.0.113.9", "x-boot-host": "d111111abcdef8.cloudfront.net", "host": "boot.example"} == {
        name: each["value"] for name, each in made["headers"].items()
    }
    assert ("/ipxe", {}) == (made["uri"], made["querystring"])


def test_release_of_an_asset_becomes_part_of_its_path(door: ViewerFunctions) -> None:
    """The key of the copy, which asset_sync has made."""
    for given in (DIGEST, DIGEST.replace(":", "%3A"), DIGEST.replace(":", "%3a"), f"{DIGEST}&release=x"):
        made = request_of(door, "/assets/talos/a%20file", query=f"release={given}")
        assert _released_key("talos/a file", DIGEST) == f"served{made['uri']}".replace("%20", " ")


@pytest.mark.parametrize("given", ["", "x", "sha256:1", f"{DIGEST}/../x", DIGEST.upper(), f"{DIGEST}0"])
def test_what_is_no_digest_is_no_release(door: ViewerFunctions, given: str) -> None:
    made = request_of(door, "/assets/a", query=f"release={given}")
    assert "/assets/a.release-unknown" == made["uri"]


@pytest.mark.parametrize("uri", ["/assets/a", "/assets/", "/assets/talos/", "/ipxe", "/profiles/a"])
def test_other_paths_are_as_they_were_sent(door: ViewerFunctions, uri: str) -> None:
    query = "" if uri == "/assets/a" else f"release={DIGEST}"
    assert uri == request_of(door, uri, query=query)["uri"]


def test_paths_of_assets_have_the_one_spelling_that_signatures_know(door: ViewerFunctions) -> None:
    """S3 would take a plus sign for a space."""
    punctuation = "".join(map(chr, range(0x21, 0x7F)))
    plain = "".join(each for each in punctuation if each not in "%?#") + "\u00fc\u4e16\U0001f600"
    small = re.sub("%..", lambda each: each[0].lower(), quote(plain))
    for sent in (
        plain,
        quote(plain),
        quote(plain).replace("v", "%76"),
        small,
    ):
        assert f"/assets/{quote(plain)}" == request_of(door, f"/assets/{sent}")["uri"]
    assert ["/assets/v1+x/", "/ipxe+"] == [request_of(door, path)["uri"] for path in ("/assets/v1+x/", "/ipxe+")]


@pytest.mark.parametrize("uri", ["//assets/a/b", "/assets//a///b"])
def test_slashes_of_an_asset_count_once(door: ViewerFunctions, uri: str) -> None:
    assert "/assets/a/b" == request_of(door, uri)["uri"]
    assert ["//ipxe", "/assets//a/"] == [request_of(door, other)["uri"] for other in ("//ipxe", "/assets//a/")]


@pytest.mark.parametrize("uri", ["/%69gnition", "/metadat%61", "/ignition%2esig", "/%61ssets/a"])
def test_routes_have_one_spelling(door: ViewerFunctions, uri: str) -> None:
    """Behaviours, by which http is refused, may compare the path as it was sent; the app decodes it."""
    assert 403 == request_of(door, uri)["statusCode"]
    assert "/profiles/%61" == request_of(door, "/profiles/%61")["uri"]


@pytest.mark.parametrize("name", ["100%", "%zz", "%FF", "%C3"])
def test_what_cannot_be_decoded_names_no_file(door: ViewerFunctions, name: str) -> None:
    assert f"/assets/{quote(name)}" == request_of(door, f"/assets/{name}")["uri"]


NETWORKS = [
    "203.0.113.128/25",
    "198.51.100.7/32",
    "10.0.0.0/8",
    "192.0.2.0/23",
    "2001:db8::/33",
    "2001:db8:8000:1::2/128",
    "2001:0DB9:1::5:0:0:0/80",
]
VIEWERS = [
    *("203.0.113.127", "203.0.113.128", "203.0.113.255", "198.51.100.7", "198.51.100.6", "10.255.0.1", "11.0.0.1"),
    *("192.0.3.255", "192.0.4.0", "2001:db8::1", "2001:db8:7fff:ffff::", "2001:db8:8000::", "2001:db8:8000:1::2"),
    *("2001:db8:8000:1::3", "::1", "::", "2001:db8:1:2:3:4:5:6", "1::", "::ffff"),
    *("2001:db9:1:0:5::", "2001:db9:1::6:0:0:0", "203::", "c00:20::"),
]


@pytest.mark.parametrize("viewer", VIEWERS)
def test_only_these_networks_are_admitted(networks: ViewerFunctions, viewer: str) -> None:
    expected = any(ip_address(viewer) in ip_network(network, strict=False) for network in NETWORKS)
    response = request_of(networks, "/ipxe", viewer)
    assert expected == ("uri" in response)
    if not expected:
        assert (403, {"encoding": "text", "data": f"{viewer} is in no network of AllowedCidrs\n"}) == (
            response["statusCode"],
            response["body"],
        )


def test_everybody_is_admitted_only_if_the_operator_says_so(doors: Doors) -> None:
    nobody = doors(AllowedCidrs="", AllowEverybody="no")
    everybody = doors(AllowedCidrs="", AllowEverybody="yes")
    networks = doors(AllowEverybody="yes")
    assert [403, None, 403] == [
        request_of(each, "/", "9.9.9.9").get("statusCode") for each in (nobody, everybody, networks)
    ]


@pytest.mark.parametrize("network", ["2001:zz8::/32", "2001:db8::1::/16", "1:2:3/16", "2001:db8::"])
def test_malformed_network_admits_nobody(doors: Doors, network: str) -> None:
    """The parameter's pattern does not know all of IPv6."""
    door = doors(AllowedCidrs=network)
    assert [403] * 2 == [request_of(door, "/", viewer)["statusCode"] for viewer in ("2001:db8::1", "2001::")]


def test_function_fits_cloudfronts_limit(doors: Doors) -> None:
    """With the longest list that the parameter takes: a longer function is not taken."""
    doors(AllowedCidrs="x" * 4000)
