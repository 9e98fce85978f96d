"""Preconditions are answered as Go's http.ServeContent answers them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.golang.http import content
from lambda_matchbox.golang.http.content import Reply
from lambda_matchbox.golang.http.preconditions import State

TEXT = "text/plain; charset=utf-8"
THEN = datetime(1994, 11, 6, 8, 49, 37, 500000, UTC)
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
EARLIER = "Sun, 06 Nov 1994 08:49:36 GMT"
LATER = "Sun, 06 Nov 1994 08:49:38 GMT"


def send(
    headers: dict[str, str], *, method: str = "GET", etag: str | None = None, modified: datetime | None = None
) -> Reply:
    return content.serve(method, headers, size=10, content_type=TEXT, boundary="", etag=etag, modified=modified)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-Match": '"a"'}, 200),
        ({"If-Match": '"b", "a"'}, 200),
        ({"If-Match": '"b" "a"'}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Match": '"b"'}, 412),
        ({"If-Match": 'W/"a"'}, 412),
        ({"If-Match": 'b, "a"'}, 412),
        ({"If-Match": '"b c", "a"'}, 412),
        ({"If-Match": ","}, 412),
        ({"If-Match": "", "If-Unmodified-Since": EARLIER}, 412),
        ({"If-Match": '"a"', "If-Unmodified-Since": EARLIER}, 200),
        ({"If-Unmodified-Since": EARLIER}, 412),
        ({"If-Unmodified-Since": DATE}, 200),
        ({"If-Unmodified-Since": LATER}, 200),
        ({"If-Unmodified-Since": "yesterday"}, 200),
        ({"If-None-Match": '"a"'}, 304),
        ({"If-None-Match": 'W/"a"'}, 304),
        ({"If-None-Match": ' , "é","a"'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"b"'}, 200),
        ({"If-None-Match": 'b, "a"'}, 200),
        ({"If-None-Match": '"b"', "If-Modified-Since": LATER}, 200),
        ({"If-None-Match": "", "If-Modified-Since": LATER}, 304),
        ({"If-Modified-Since": LATER}, 304),
        ({"If-Modified-Since": DATE}, 304),
        ({"If-Modified-Since": EARLIER}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        ({"If-Match": '"b"', "If-None-Match": '"a"'}, 412),
        ({"If-Match": '"a"', "If-None-Match": '"a"', "Range": "bytes=0-1"}, 304),
        ({"If-None-Match": '"a"', "Range": "x"}, 304),
        ({"Range": "bytes=0-1", "If-Range": '"a"'}, 206),
        ({"Range": "bytes=0-1", "If-Range": '"b"'}, 200),
        ({"Range": "bytes=0-1", "If-Range": 'W/"a"'}, 200),
        ({"Range": "bytes=0-1", "If-Range": DATE}, 206),
        ({"Range": "bytes=0-1", "If-Range": EARLIER}, 200),
        ({"Range": "bytes=0-1", "If-Range": LATER}, 200),
        ({"Range": "bytes=0-1", "If-Range": "*"}, 200),
        ({"Range": "x", "If-Range": '"b"'}, 200),
    ],
)
def test_preconditions_are_checked_in_order(headers: dict[str, str], status: int) -> None:
    assert status == send(headers, etag='"a"', modified=THEN).status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-Match": "*"}, 200),
        ({"If-Match": '"a"'}, 412),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"a"'}, 200),
        ({"If-Modified-Since": LATER}, 200),
        ({"If-Unmodified-Since": EARLIER}, 200),
        ({"Range": "bytes=0-1", "If-Range": '"a"'}, 200),
        ({"Range": "bytes=0-1", "If-Range": DATE}, 200),
    ],
)
def test_a_content_without_validators_matches_only_a_star(headers: dict[str, str], status: int) -> None:
    assert status == send(headers).status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-None-Match": '"a"'}, 412),
        ({"If-Modified-Since": LATER}, 200),
        ({"Range": "bytes=0-1", "If-Range": '"b"'}, 206),
    ],
)
def test_other_methods_ignore_conditions_for_reading(headers: dict[str, str], status: int) -> None:
    assert status == send(headers, method="POST", etag='"a"', modified=THEN).status


def test_not_modified_describes_no_content() -> None:
    assert Reply(304, {"etag": '"a"'}) == send({"If-None-Match": '"a"'}, etag='"a"', modified=THEN)
    assert Reply(304, {"last-modified": DATE}) == send({"If-Modified-Since": DATE}, modified=THEN)


def test_a_failed_precondition_has_no_body() -> None:
    assert Reply(412, {"content-length": "0"}) == send({"If-Match": '"a"'})


def test_the_zone_of_a_moment_does_not_matter() -> None:
    elsewhere = THEN.astimezone(timezone(timedelta(hours=5)))
    assert send({"If-Modified-Since": DATE}, modified=elsewhere).status == 304
    assert send({"If-Modified-Since": EARLIER}, modified=elsewhere).status == 200


@given(st.text(st.characters()), st.text("!#az", max_size=3), st.booleans())
def test_lists_of_tags_are_read_up_to_the_first_error(after: str, tag: str, weak: bool) -> None:
    etag = f'"{tag}"'
    listed = ("W/" if weak else "") + etag
    assert State(etag, None).refusal({"if-none-match": f'"x y", {listed}'}, reading=True) is None
    assert State(etag, None).refusal({"if-none-match": f", {listed} {after}"}, reading=True) == 304
