"""What an edge does with requests, with the behaviours and policies of the template."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given

from tests.stack.cloudfront.edge import Edge, Origin
from tests.stack.cloudfront.messages import Headers, Request, Response
from tests.stack.cloudfront.settings import Settings
from tests.stack.cloudfront.signatures import Principal
from tests.stack.cloudfront.test_signatures import SENT
from tests.stack.cloudfront.viewer_functions import viewer_functions
from tests.stack.place import BEHIND_CLOUDFRONT
from tests.stack.resolution import stacks
from tools.template_translation import Deployment

pytestmark = pytest.mark.real

HOST = "d111111abcdef8.cloudfront.net"
EDGE = Principal("cloudfront.amazonaws.com", "arn", "AKIAEDGE", "secret")
FILE = bytes(range(256))


class Asked:
    """An origin that keeps what it was asked; it has one file, and a status for everything else."""

    def __init__(self, name: str, status: int, files: tuple[str, ...] = ()) -> None:
        self.requests: list[Request] = []
        self.origin = Origin(name, "eu-central-1", self.respond)
        self.status = status
        self._files = files

    def respond(self, request: Request) -> Response:
        self.requests.append(request)
        if request.path in self._files:
            return Response(200, {"etag": '"a"', "content-type": "application/efi"}, FILE)
        return Response(self.status, {}, b"x")


class Door:
    """An edge before such origins."""

    def __init__(self, settings: Settings, functions: Any) -> None:
        self.function = Asked("function.example", 200)
        self.bucket = Asked("bucket.example", 404, ("/served/assets/a", "/assets/b"))
        origins = {"<BootApiUrl.FunctionUrl>": self.function.origin, "<Bucket.RegionalDomainName>": self.bucket.origin}
        self._edge = Edge(settings, functions, origins, EDGE, HOST)

    def send(
        self, path: str = "/ipxe", query: str = "", method: str = "GET", body: bool = False, secure: bool = False,
        headers: Headers = (),
    ) -> Response:  # fmt: skip
        request = Request(method, path, query, (("host", HOST), *headers), secure, "127.0.0.1")
        return self._edge.respond(request, body)


@pytest.fixture(scope="module")
def made() -> Iterator[Any]:
    [stack] = stacks([Deployment(BEHIND_CLOUDFRONT)])
    with viewer_functions(stack) as functions:
        yield Settings(stack), functions


@pytest.fixture
def door(made: Any) -> Door:
    return Door(*made)


def test_what_the_function_gets_is_as_it_was_sent_but_for_what_cloudfront_replaces(door: Door) -> None:
    sent = (
        *(("user-agent", "iPXE/1.21"), ("x-own", "1"), ("accept", "*/*"), ("range", "bytes=0-1"), ("cookie", "a=b")),
        *(("x-forwarded-for", "10.0.0.1"), ("via", "1.1 proxy"), ("if-none-match", '"x"')),
        *(("x-forwarded-proto", "http"), ("x-real-ip", "1.1.1.1"), ("connection", "close"), ("x-edge-a", "1")),
        *(("te", "trailers"), ("authorization", "Basic x"), ("x-boot-viewer", "9.9.9.9"), ("x-boot-host", "evil")),
    )
    door.send("/ipxe", "b=1&a=%2F&&c", headers=sent)
    [asked] = door.function.requests
    assert ("/ipxe", "b=1&a=%2F&&c", True) == (asked.path, asked.query, asked.secure)
    named = {name: asked.header(name) for name, _ in asked.headers}
    assert named.pop("authorization").startswith("AWS4-HMAC-SHA256 Credential=AKIAEDGE/")
    made_up = ("x-amz-cf-id", "x-amz-date", "x-amz-content-sha256")
    assert {
        "host": "function.example",
        "user-agent": "iPXE/1.21",
        "x-own": "1",
        "accept": "*/*",
        "range": "bytes=0-1",
        "cookie": "a=b",
        "x-forwarded-for": "10.0.0.1, 127.0.0.1",
        "via": "1.1 proxy, 1.1 edge.cloudfront.net (CloudFront)",
        "if-none-match": '"x"',
        "x-boot-viewer": "127.0.0.1",
        "x-boot-host": HOST,
    } == {name: value for name, value in named.items() if name not in made_up}


@given(SENT)
def test_query_reaches_the_function_as_it_was_sent(made: Any, query: str) -> None:
    door = Door(*made)
    door.send("/ipxe", query)
    assert [query] == [each.query for each in door.function.requests]


def test_bucket_is_asked_for_the_path_by_the_viewers_protocol(door: Door) -> None:
    for secure in (True, False):
        door.send("/assets/none", "a=1", secure=secure, headers=(("user-agent", "iPXE"), ("accept", "x")))
    paths = ("/served/assets/none", "/assets/none")
    assert [(path, "", secure) for secure in (True, False) for path in paths] == [
        (each.path, each.query, each.secure) for each in door.bucket.requests
    ]
    assert {"Amazon CloudFront"} == {each.header("user-agent") for each in door.bucket.requests}
    assert {""} == {each.header("accept") for each in door.bucket.requests}


def test_own_file_is_asked_for_where_no_release_has_it(door: Door) -> None:
    assert [(200, FILE), (200, FILE), (404, b"x")] == [
        (found.status, found.body) for name in "abc" if (found := door.send(f"/assets/{name}"))
    ]
    assert ["/served/assets/a", "/served/assets/b", "/assets/b", "/served/assets/c", "/assets/c"] == [
        each.path for each in door.bucket.requests
    ]


def test_file_is_fetched_once_and_its_parts_are_cut_from_it(door: Door) -> None:
    responses = [
        door.send("/assets/a", method=method, headers=headers)
        for method, headers in (
            ("GET", ()),
            ("HEAD", ()),
            ("GET", (("range", "bytes=1-2"),)),
            ("GET", (("range", "bytes=-3"),)),
            ("GET", (("range", "bytes=250-"),)),
            ("GET", (("range", "bytes=300-"),)),
            ("GET", (("range", "bytes=1-2,4-5"),)),
            ("GET", (("range", "bytes=1-2"), ("if-range", '"b"'))),
            ("GET", (("if-none-match", '"a"'),)),
        )
    ]
    assert [200, 200, 206, 206, 206, 416, 200, 200, 304] == [each.status for each in responses]
    assert [FILE[1:3], FILE[-3:], FILE[250:]] == [each.body for each in responses[2:5]]
    assert "bytes 253-255/256" == responses[3].headers["content-range"]
    assert ["Miss from cloudfront", *["Hit from cloudfront"] * 8] == [each.headers["x-cache"] for each in responses]
    assert 1 == len(door.bucket.requests)


def test_head_says_the_length_and_fetches_nothing(door: Door) -> None:
    responses = [door.send("/assets/a", method="HEAD", headers=(("range", "bytes=1-2"),)) for _ in range(2)]
    assert [200, 200] == [each.status for each in responses]
    assert ["HEAD"] == [each.method for each in door.bucket.requests]


def test_release_of_an_address_is_no_part_of_another_ones_cache(door: Door) -> None:
    digits = "0123456789abcdef" * 4
    assert [200, 404] == [door.send("/assets/a", query).status for query in ("", f"release=sha256:{digits}")]
    assert f"/served/assets/a.release-{digits}" == door.bucket.requests[1].path


def test_viewer_is_refused_what_the_template_refuses(door: Door) -> None:
    refused = [
        door.send(method="POST", body=True),
        door.send(method="OPTIONS"),
        door.send(body=True),
        door.send("/ignition", "a=1"),
        door.send("/ign%69tion"),
        door.send("/x/../ignition"),
        door.send("//ignition"),
        door.send("/cloud.x"),
    ]
    assert [403] * 8 == [each.status for each in refused]
    assert {"Error from cloudfront"} == {each.headers["x-cache"] for each in refused}
    assert [] == door.function.requests
    assert 200 == door.send("/ignition", secure=True).status


def test_lengths_are_limited(door: Door) -> None:
    left = 8192 - len(f"http://{HOST}/ipxe?")
    assert [200, 414] == [door.send(query="x" * length).status for length in (left, left + 1)]
    assert [200, 413] == [door.send(headers=(("x-long", "x" * length),)).status for length in (20_000, 20_480)]


def test_error_of_one_machine_is_no_other_ones(door: Door, made: Any) -> None:
    """As it would be without the template's times for errors, also where caching is disabled."""
    [stack] = stacks([Deployment(BEHIND_CLOUDFRONT)])
    del stack.properties("Distribution")["DistributionConfig"]["CustomErrorResponses"]
    for each, asked in ((door, 2), (Door(Settings(stack), made[1]), 1)):
        each.function.status = 404
        assert [404, 404] == [each.send("/ipxe", query).status for query in ("mac=a", "mac=b")]
        assert asked == len(each.function.requests)


def test_networks_are_refused_before_any_origin(door: Door) -> None:
    response = door._edge.respond(Request("GET", "/assets/a", "", (("host", HOST),), True, "10.0.0.1"))
    assert (403, b"10.0.0.1 is in no network of AllowedCidrs\n") == (response.status, response.body)
    assert [] == door.bucket.requests
