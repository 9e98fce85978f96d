import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.golang.url import Url, UrlError, parse_url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Url("", "", "")),
        ("HTTP://h:80/p?q=1?2#f%20", Url("http", "", "q=1?2")),
        ("data:,a/b?c", Url("data", ",a/b", "c")),
        ("arn:aws:s3:::b/k", Url("arn", "aws:s3:::b/k", "")),
        ("/a:b", Url("", "", "")),
        ("http://u:p@[fe80::1%25en0]:1/", Url("http", "", "")),
        ("http://%c5%bc.pl/\u017c", Url("http", "", "")),
        ("http:///x", Url("http", "", "")),
    ],
)
def test_the_parts_are_gos(text: str, expected: Url) -> None:
    assert expected == parse_url(text)


@pytest.mark.parametrize(
    "text",
    [
        ":x",
        "a b:c",
        "http://h/%zz",
        "http://h/#%z",
        "http://a b/",
        "http://%41/",
        "http://h:8a/",
        "http://[::1/",
        "http://[::g]/",
        "http://[1.2.3.4]/",
        "http://a[::1]/",
        "http://[::1]a/",
        "http://u%zz@h/",
        "http://u<@h/",
        "http://h/\x7f",
    ],
)
def test_invalid_urls_are_refused(text: str) -> None:
    with pytest.raises(UrlError):
        parse_url(text)


@given(st.text())
def test_any_text_is_a_url_or_refused(text: str) -> None:
    try:
        assert parse_url(text).scheme.islower() or ":" not in text or not parse_url(text).scheme
    except UrlError:
        assert text
