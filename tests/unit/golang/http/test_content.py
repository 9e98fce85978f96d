"""Ranges and preconditions are answered as Go's http.ServeContent answers them."""

import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.golang.http import content
from lambda_matchbox.golang.http.content import Reply, Span
from tests.support.paths import CONFORMANCE

TEXT = "text/plain; charset=utf-8"
THEN = datetime(1994, 11, 6, 8, 49, 37, 500000, UTC)
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
EARLIER = "Sun, 06 Nov 1994 08:49:36 GMT"
LATER = "Sun, 06 Nov 1994 08:49:38 GMT"
TEN = b"0123456789"


def send(
    headers: dict[str, str],
    *,
    method: str = "GET",
    size: int = 10,
    etag: str | None = None,
    modified: datetime | None = None,
) -> Reply:
    return content.serve(
        method, headers, size=size, content_type=TEXT, boundary="BOUNDARY", etag=etag, modified=modified
    )


def refused(text: str, **headers: str) -> Reply:
    common = {"content-type": TEXT, "x-content-type-options": "nosniff", "content-length": str(len(text))}
    return Reply(416, common | {name.replace("_", "-"): value for name, value in headers.items()}, (text.encode(),))


WHOLE = Reply(200, {"accept-ranges": "bytes", "content-type": TEXT, "content-length": "10"}, (Span(0, 10),))
INVALID = refused("invalid range\n")
NO_OVERLAP = refused("invalid range: failed to overlap\n", content_range="bytes */10")


@pytest.mark.parametrize(
    ("wanted", "start", "length"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=2-4", 2, 3),
        ("bytes=2-", 2, 8),
        ("bytes=-3", 7, 3),
        ("bytes=-30", 0, 10),
        ("bytes=8-99", 8, 2),
        ("bytes=0-9", 0, 10),
        ("bytes= 2 - 4 ", 2, 3),
        ("bytes=,2-4,,", 2, 3),
        ("bytes=+2-+4", 2, 3),
        ("bytes=002-0000000000000000000000004", 2, 3),
        ("bytes=2-9223372036854775807", 2, 8),
        ("bytes=2-4,10-12", 2, 3),
    ],
)
def test_one_range_gets_that_part(wanted: str, start: int, length: int) -> None:
    headers = {
        "accept-ranges": "bytes",
        "content-type": TEXT,
        "content-length": str(length),
        "content-range": f"bytes {start}-{start + length - 1}/10",
    }
    assert Reply(206, headers, (Span(start, length),)) == send({"Range": wanted})


@pytest.mark.parametrize(
    "wanted",
    ["", "bytes=", "bytes=,,", "bytes=0-5,5-9", "bytes=0-,0-0", "bytes=-10,-1"],
)
def test_no_range_gets_the_whole_content(wanted: str) -> None:
    """So do ranges that are longer together than the content."""
    assert send({"Range": wanted}) == WHOLE


@pytest.mark.parametrize(
    "wanted",
    [
        "bytes",
        "Bytes=0-1",
        "bytes =0-1",
        "lines=0-1",
        "bytes=1",
        "bytes=-",
        "bytes=--1",
        "bytes=4-2",
        "bytes=0--1",
        "bytes=a-b",
        "bytes=1_0-",
        "bytes=٣-",
        "bytes=0-9223372036854775808",
        "bytes=9223372036854775808-",
        "bytes=0-1,x",
        "bytes=99-,x",
        f"bytes=0-{'9' * 5000}",
    ],
)
def test_a_malformed_range_is_refused_without_the_size(wanted: str) -> None:
    assert send({"Range": wanted}) == INVALID


@pytest.mark.parametrize("wanted", ["bytes=10-", "bytes=10-12", "bytes=5000-1", "bytes=9223372036854775807-,11-"])
def test_ranges_beyond_the_end_are_refused_with_the_size(wanted: str) -> None:
    assert send({"Range": wanted}) == NO_OVERLAP


def test_an_empty_suffix_is_an_empty_part() -> None:
    reply = send({"Range": "bytes=-0"})
    assert (reply.status, reply.headers["content-range"], reply.body) == (206, "bytes 10-9/10", ())


def test_a_range_of_an_empty_content_gets_it() -> None:
    reply = send({"Range": "bytes=0-9"}, size=0)
    assert (reply.status, reply.headers["content-length"], reply.body) == (200, "0", ())


def test_several_ranges_are_a_multipart_body() -> None:
    reply = send({"Range": "bytes=7-8, 0-2"}, etag='"a"')
    expected = (
        f"--BOUNDARY\r\nContent-Range: bytes 7-8/10\r\nContent-Type: {TEXT}\r\n\r\n78"
        f"\r\n--BOUNDARY\r\nContent-Range: bytes 0-2/10\r\nContent-Type: {TEXT}\r\n\r\n012"
        "\r\n--BOUNDARY--\r\n"
    ).encode()
    assert expected == content.assemble(reply.body, TEN)
    assert [Span(7, 2), Span(0, 3)] == [piece for piece in reply.body if isinstance(piece, Span)]
    assert reply.headers == {
        "accept-ranges": "bytes",
        "content-type": "multipart/byteranges; boundary=BOUNDARY",
        "content-length": str(len(expected)),
        "etag": '"a"',
    }


def test_header_names_match_in_any_case() -> None:
    assert send({"RANGE": " bytes=0-1\t"}) == send({"range": "bytes=0-1"})
    assert send({"range": "bytes=0-1"}).status == 206


def test_validators_are_sent_with_content_and_with_416() -> None:
    validators = {"etag": '"a"', "last-modified": DATE}
    assert WHOLE.headers | validators == send({}, etag='"a"', modified=THEN).headers
    assert INVALID.headers | validators == send({"Range": "x"}, etag='"a"', modified=THEN).headers


@pytest.mark.parametrize("modified", [datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1), datetime(1, 1, 1)])
def test_the_zero_times_mean_no_time(modified: datetime) -> None:
    headers = {"If-Modified-Since": LATER, "If-Unmodified-Since": "Sun, 06 Nov 0000 08:49:37 GMT"}
    assert send(headers, modified=modified) == WHOLE


@pytest.mark.parametrize("name", ["seed", "assets"])
def test_recorded_responses_are_equal(name: str) -> None:
    responses = json.loads((CONFORMANCE / name / "answers.json").read_text())
    bodies = {
        recorded["request"]["target"]: recorded["answer"]["body"].encode()
        for recorded in responses
        if recorded["request"]["method"] == "GET" and recorded["answer"]["status"] == 200
    }
    ranges = 0
    for recorded in responses:
        request, response = recorded["request"], recorded["answer"]
        headers = request.get("headers", {})
        if "accept-ranges" not in response["headers"] and response["status"] != 416:
            continue
        body = bodies[request["target"]]
        reply = content.serve(
            request["method"],
            headers,
            size=len(body),
            content_type=response["headers"]["content-type"],
            boundary="",
        )
        # The balancer drops the body for HEAD.
        sent = "" if request["method"] == "HEAD" else content.assemble(reply.body, body).decode()
        assert (response["status"], response["headers"], response["body"]) == (reply.status, reply.headers, sent)
        ranges += "Range" in headers
    assert ranges >= 2


NUMBERS = st.integers(0, 12).map(str) | st.sampled_from(["", "+1", "-1", " 3", "99", "x", str(2**63)])
RANGES = st.lists(st.tuples(NUMBERS, NUMBERS).map("-".join), min_size=1, max_size=4).map(
    lambda items: "bytes=" + ",".join(items)
)
TAGS = st.sampled_from(['"a"', '"b"', 'W/"a"', "*", '"a", "b"', ",", "x"])
DATES = st.sampled_from([DATE, EARLIER, LATER, "x"])
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Range": RANGES | st.text(st.characters()),
        "If-Match": TAGS | st.text(st.characters()),
        "If-None-Match": TAGS | st.text(st.characters()),
        "If-Modified-Since": DATES | st.text(st.characters()),
        "If-Unmodified-Since": DATES | st.text(st.characters()),
        "If-Range": TAGS | DATES | st.text(st.characters()),
    },
)


@given(
    st.sampled_from(["GET", "HEAD", "POST"]),
    HEADERS,
    st.binary(max_size=12),
    st.none() | st.sampled_from(['"a"', 'W/"a"']) | st.text(st.characters()),
    st.none() | st.just(THEN) | st.datetimes(timezones=st.timezones() | st.none()),
)
def test_any_request_has_a_consistent_reply(
    method: str, headers: dict[str, str], body: bytes, etag: str | None, modified: datetime | None
) -> None:
    reply = send(headers, method=method, size=len(body), etag=etag, modified=modified)
    assert reply.status in (200, 206, 304, 412, 416)
    for piece in reply.body:
        if isinstance(piece, Span):
            assert piece.length > 0
            assert 0 <= piece.start <= len(body) - piece.length
    sent = content.assemble(reply.body, body)
    assert (None if reply.status == 304 else str(len(sent))) == reply.headers.get("content-length")
    if method == "HEAD":
        assert reply == send(headers, size=len(body), etag=etag, modified=modified)


@given(RANGES, st.binary(max_size=12))
def test_parts_are_the_slices_that_their_headers_name(wanted: str, body: bytes) -> None:
    reply = send({"Range": wanted}, size=len(body))
    sent = content.assemble(reply.body, body)
    if "content-range" in reply.headers and reply.status == 206:
        parts = [(reply.headers["content-range"].encode(), sent)]
    else:
        parts = re.findall(
            rb"--BOUNDARY\r\nContent-Range: (.*)\r\nContent-Type: .*\r\n\r\n((?s:.*?))(?=\r\n--BOUNDARY)", sent
        )
        assert (len(parts) >= 2) == (reply.status == 206)
    for named, part in parts:
        start, end, size = map(int, re.findall(rb"(?:^bytes |-|/)(-?\d+)", named))
        assert len(body) == size
        assert part == body[start : end + 1]


@given(st.integers(1, 10**15), st.integers(0, 10**15), st.integers(0, 10**15))
def test_a_range_within_the_content_is_one_span(size: int, first: int, more: int) -> None:
    start = first % size
    end = min(start + more, size - 1)
    assert send({"Range": f"bytes={start}-{end}"}, size=size).body == (Span(start, end - start + 1),)
