import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.ignition.config.source import scheme_of, source_problem


@pytest.mark.parametrize(
    ("source", "since"),
    [("http://h", 0), ("HTTPS://h", 0), ("tftp://h/f", 0), ("s3://b/k", 0), ("gs://b/k", 2), ("arn:aws:s3:::b/k", 4)],
)
def test_each_scheme_has_its_first_version(source: str, since: int) -> None:
    assert [minor < since for minor in range(7)] == [bool(source_problem(source, minor)) for minor in range(7)]


@given(st.binary())
def test_base64_data_is_accepted_whole_only(raw: bytes) -> None:
    source = f"data:;base64,{base64.b64encode(raw).decode()}"
    assert source_problem(source, 4) == ""
    assert not raw or source_problem(source[:-1], 4) == "invalid data url"


@given(st.binary())
def test_escaped_data_is_accepted(raw: bytes) -> None:
    assert source_problem("data:," + "".join(f"%{byte:02x}" for byte in raw), 4) == ""


@pytest.mark.parametrize(
    "source",
    [
        "data:,a%20b",
        "data:text/plain;charset=utf-8,x",
        'data:text/a;b="c;\\",d";e=%41,x',
        "data:x-any/thing,y",
        "data:image/png;base64,AAAA",
        "data:,",
        "s3://b/k?versionId=1",
        "s3://b/k?a;versionId=&c=%zz",
        "arn:aws:s3:us-east-1:1:accesspoint/a/object/k",
    ],
)
def test_valid_sources_have_no_problem(source: str) -> None:
    assert source_problem(source, 4) == ""


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("", "invalid url scheme"),
        ("ftp://x", "invalid url scheme"),
        ("http://%zz/", "unable to parse url"),
        ("data:x", "invalid data url"),
        ("data:,a b", "invalid data url"),
        ("data:,%2", "invalid data url"),
        ("data:;base64;a=b,AAAA", "invalid data url"),
        ("data:;base64,AA=A", "invalid data url"),
        ("data:foo/bar,x", "invalid data url"),
        ('data:;a="\\q",x', "invalid data url"),
        ("DATA:,x", "invalid data url"),
        ("s3://b/k?versionId=", "invalid S3 object VersionId"),
        ("arn:aws:s3:::b/k?versionId=", "invalid S3 object VersionId"),
        ("arn:aws:iam:::b/k", "invalid S3 ARN format"),
        ("arn:aws:s3:::b", "invalid S3 ARN format"),
        ("arn:aws:s3:::accesspoint/a", "invalid S3 ARN format"),
        ("arn:aws:s3", "invalid S3 ARN format"),
    ],
)
def test_invalid_sources_have_a_problem(source: str, reason: str) -> None:
    assert reason == source_problem(source, 4)


@pytest.mark.parametrize(("source", "scheme"), [("HTTP://x", "http"), ("x", ""), ("http://%zz", "")])
def test_the_scheme_is_in_lower_case(source: str, scheme: str) -> None:
    assert scheme == scheme_of(source)
