import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.golang.url import UrlError, parse_url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("", "", "")),
        ("HTTP://h:80/p?q=1?2#f%20", ("http", "", "q=1?2")),
        ("data:,a/b?c", ("data", ",a/b", "c")),
        ("arn:aws:s3:::b/k", ("arn", "aws:s3:::b/k", "")),
        ("/a:b", ("", "", "")),
        ("http://u:p@[fe80::1%25en0]:1/", ("http", "", "")),
        ("http://%c5%bc.pl/\u017c", ("http", "", "")),
        ("http:///x", ("http", "", "")),
    ],
)
def test_the_parts_are_gos(text: str, expected: tuple[str, str, str]) -> None:
    url = parse_url(text)
    assert expected == (url.scheme, url.opaque, url.query)


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
