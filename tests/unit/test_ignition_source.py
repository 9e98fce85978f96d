import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchbox.ignition_source import scheme_of, source_fault


@pytest.mark.parametrize(
    ("source", "since"),
    [("http://h", 0), ("HTTPS://h", 0), ("tftp://h/f", 0), ("s3://b/k", 0), ("gs://b/k", 2), ("arn:aws:s3:::b/k", 4)],
)
def test_schemes(source: str, since: int) -> None:
    """Each scheme is supported from one version on."""
    assert [minor < since for minor in range(7)] == [bool(source_fault(source, minor)) for minor in range(7)]


@given(st.binary())
def test_data_in_base64(raw: bytes) -> None:
    """Data in base64 are taken, and refused without the last character of their text."""
    source = f"data:;base64,{base64.b64encode(raw).decode()}"
    assert source_fault(source, 4) == ""
    assert not raw or source_fault(source[:-1], 4) == "it is not a data URL"


@given(st.binary())
def test_data_in_percent(raw: bytes) -> None:
    """Data whose bytes are all escaped are taken."""
    assert source_fault("data:," + "".join(f"%{byte:02x}" for byte in raw), 4) == ""


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
def test_taken(source: str) -> None:
    """What Ignition takes has no fault."""
    assert source_fault(source, 4) == ""


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("", "its scheme is not supported"),
        ("ftp://x", "its scheme is not supported"),
        ("http://%zz/", "it is not a URL"),
        ("data:x", "it is not a data URL"),
        ("data:,a b", "it is not a data URL"),
        ("data:,%2", "it is not a data URL"),
        ("data:;base64;a=b,AAAA", "it is not a data URL"),
        ("data:;base64,AA=A", "it is not a data URL"),
        ("data:foo/bar,x", "it is not a data URL"),
        ('data:;a="\\q",x', "it is not a data URL"),
        ("DATA:,x", "it is not a data URL"),
        ("s3://b/k?versionId=", "its versionId is empty"),
        ("arn:aws:s3:::b/k?versionId=", "its versionId is empty"),
        ("arn:aws:iam:::b/k", "it is not the ARN of an object in S3"),
        ("arn:aws:s3:::b", "it is not the ARN of an object in S3"),
        ("arn:aws:s3:::accesspoint/a", "it is not the ARN of an object in S3"),
        ("arn:aws:s3", "it is not the ARN of an object in S3"),
    ],
)
def test_refused(source: str, reason: str) -> None:
    """What Ignition refuses has a fault."""
    assert reason == source_fault(source, 4)


@pytest.mark.parametrize(("source", "scheme"), [("HTTP://x", "http"), ("x", ""), ("http://%zz", "")])
def test_scheme(source: str, scheme: str) -> None:
    """The scheme is in lower case, and empty for what is no URL."""
    assert scheme == scheme_of(source)
