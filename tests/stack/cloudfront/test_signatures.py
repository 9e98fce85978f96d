"""Signatures as AWS's documentation has them, and signed requests that were changed on their way."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stack.cloudfront.messages import Request
from tests.stack.cloudfront.signatures import (
    EMPTY,
    Principal,
    RefusedError,
    canonical_request,
    signature_of,
    signed,
    verified,
)

HOST, REGION = "abc.lambda-url.eu-central-1.on.aws", "eu-central-1"
EDGE = Principal("cloudfront.amazonaws.com", "arn:aws:cloudfront::123456789012:distribution/E1", "AKIAEDGE", "secret")
QUERIES = [
    *(
        "",
        "a",
        "a=",
        "=a",
        "a=1&a=2&A=0&b",
        "a&&b",
        "&&",
        'serial="x"',
        "a=b=c",
        "a=1+2",
        "a=%2F",
        "a=/",
        "a=%2f&a=%41",
    ),
    *(
        "a;b=c",
        "a[]=1",
        "a%5B%5D=1",
        "uuid=\u00fc",
        "a=%C3%BC",
        "a=%FF",
        "a=%",
        "a=%zz",
        "a=:@!$'()*,~",
        "q=" + "x" * 8000,
    ),
]


@pytest.mark.parametrize(
    ("service", "path", "query", "headers", "signature"),
    [
        (
            "iam",
            "/",
            "Action=ListUsers&Version=2010-05-08",
            {
                "content-type": "application/x-www-form-urlencoded; charset=utf-8",
                "host": "iam.amazonaws.com",
                "x-amz-date": "20150830T123600Z",
            },
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        ),
        (
            "s3",
            "/test.txt",
            "",
            {"range": "bytes=0-9"},
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        ("s3", "/", "lifecycle", {}, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("s3", "/", "max-keys=2&prefix=J", {}, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ],
    ids=["IAM's guide", "S3's object", "S3's lifecycle", "S3's listing"],
)
def test_documented_requests_have_their_documented_signatures(
    service: str, path: str, query: str, headers: dict[str, str], signature: str
) -> None:
    """IAM's guide, "Signature Version 4 signing examples"; S3's API reference, "Authenticating Requests"."""
    secret = f"wJalrXUtnFEMI/K7MDENG{'+' if service == 'iam' else '/'}bPxRfiCYEXAMPLEKEY"
    if service == "s3":
        headers |= {
            "host": "examplebucket.s3.amazonaws.com",
            "x-amz-content-sha256": EMPTY,
            "x-amz-date": "20130524T000000Z",
        }
    request = Request("GET", path, query, tuple(headers.items()), True, "")
    date, names = headers["x-amz-date"], ";".join(sorted(headers))
    canonical = hashlib.sha256(canonical_request(request, service, names).encode()).hexdigest()
    scope = f"{date[:8]}/us-east-1/{service}/aws4_request"
    assert signature == signature_of(f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{canonical}", scope, secret)


def signed_request(path: str = "/ipxe", query: str = "a=1", by: Principal = EDGE, kind: str = "lambda") -> Request:
    request = Request("GET", path, query, (("host", HOST), ("user-agent", "iPXE")), True, "")
    return request._replace(headers=signed(request, HOST, kind, REGION, by))


def verify(request: Request) -> Principal:
    return verified(request, "lambda", REGION, {EDGE.access_key: EDGE})


@pytest.mark.parametrize("query", QUERIES)
def test_signature_holds_for_queries_as_they_were_sent(query: str) -> None:
    assert EDGE == verify(signed_request(query=query))


@pytest.mark.parametrize(
    "path", ["/", "/a%20b", "/a b", "/%2F", "/a//b/", "/a/./b/../c", "/\u00fc", "/%C3%BC", "/a+b:;='\"", "/.."]
)
def test_signature_holds_for_paths_as_they_were_sent(path: str) -> None:
    assert EDGE == verify(signed_request(path=path))


SENT = st.text(st.characters(codec="utf-8", min_codepoint=0x21, exclude_characters="#\x7f"))
"""What stands in a request line."""


@given(SENT.filter(lambda path: "?" not in path), SENT)
def test_signature_holds_for_whatever_was_sent(path: str, query: str) -> None:
    assert EDGE == verify(signed_request(f"/{path}", query))


CHANGES = {
    "no signature": lambda request: request._replace(headers=request.headers[:2]),
    "another path": lambda request: request._replace(path="/ignition"),
    "another query": lambda request: request._replace(query="a=2"),
    "a longer query": lambda request: request._replace(query="a=1&b=1"),
    "another method": lambda request: request._replace(method="HEAD"),
    "another host": lambda request: with_header(request, "host", "evil.example"),
    "another time": lambda request: with_header(request, "x-amz-date", "20260101T000000Z"),
    "another body": lambda request: with_header(request, "x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
    "another principal": lambda request: signed_request(by=EDGE._replace(access_key="AKIAOTHER")),
    "another secret": lambda request: signed_request(by=EDGE._replace(secret_key="other")),
    "another service": lambda request: signed_request(kind="s3"),
}


def with_header(request: Request, name: str, value: str) -> Request:
    return request._replace(headers=tuple((each, value if each == name else old) for each, old in request.headers))


@pytest.mark.parametrize("change", CHANGES)
def test_changed_request_is_refused(change: str) -> None:
    with pytest.raises(RefusedError):
        verify(CHANGES[change](signed_request()))


def test_viewers_own_signature_is_replaced() -> None:
    forged = Request("GET", "/", "", (("host", HOST), ("authorization", "x"), ("x-amz-date", "x")), True, "")
    assert EDGE == verify(forged._replace(headers=signed(forged, HOST, "lambda", REGION, EDGE)))
