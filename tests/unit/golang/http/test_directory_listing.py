"""Directory listings are those of Go's file server."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.golang.http import directory_listing, paths
from tests.support.paths import CONFORMANCE

HEAD = '<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n'


@pytest.mark.parametrize("target", ["/assets/", "/assets/flatcar/", "/assets/flatcar/3227.2.0/", "/assets/dir/"])
def test_recorded_listings_are_equal(target: str) -> None:
    responses = json.loads((CONFORMANCE / "assets" / "answers.json").read_text())
    (expected,) = (recorded["answer"] for recorded in responses if recorded["request"]["target"] == target)
    directory = CONFORMANCE / "assets" / "data" / target.strip("/")
    files = [path.name for path in directory.iterdir() if path.is_file()]
    directories = [path.name for path in directory.iterdir() if path.is_dir()]
    assert expected["body"].encode() == directory_listing.render(files, directories)
    assert expected["headers"]["content-type"] == directory_listing.CONTENT_TYPE


@pytest.mark.parametrize(
    ("name", "link"),
    [
        ("a:b", '<a href="./a:b">a:b</a>'),
        ("a?b#c", '<a href="a%3Fb%23c">a?b#c</a>'),
        ("<&>\"'", '<a href="%3C&%3E%22%27">&lt;&amp;&gt;&#34;&#39;</a>'),
        ("*", '<a href="*">*</a>'),
        ("**", '<a href="%2A%2A">**</a>'),
        ("$+,;=@-_.~", '<a href="$+,;=@-_.~">$+,;=@-_.~</a>'),
        ("a\nb", '<a href="a%0Ab">a\nb</a>'),
        ("🐢", '<a href="%F0%9F%90%A2">🐢</a>'),
    ],
)
def test_names_are_escaped_for_the_link_and_for_the_page(name: str, link: str) -> None:
    assert f"{HEAD}{link}\n</pre>\n".encode() == directory_listing.render([name], [])


def test_a_name_that_is_not_utf8_is_linked_by_its_bytes() -> None:
    expected = HEAD.encode() + b'<a href="%FF/">\xff/</a>\n</pre>\n'
    assert expected == directory_listing.render([], ["\udcff"])


def test_order_is_that_of_bytes() -> None:
    page = directory_listing.render(["a-", "b", "Z", "\U0001f422", "\uffff", "\udcff"], ["a", "b"])
    names = re.findall(rb">(.*)</a>", page)
    assert names == [b"Z", b"a/", b"a-", b"b", b"b/", b"\xef\xbf\xbf", b"\xf0\x9f\x90\xa2", b"\xff"]


def test_an_empty_directory_is_a_page() -> None:
    assert f"{HEAD}</pre>\n".encode() == directory_listing.render([], [])


@given(st.sets(st.text(st.characters(exclude_characters="/\n"), min_size=1)))
def test_links_lead_to_their_names(names: set[str]) -> None:
    links = re.findall(rb'<a href="([^"]*)">', directory_listing.render(names, []))
    found = [paths.unescape(link.decode()) or "" for link in links]
    expected = sorted(paths.to_bytes(name) for name in names)
    assert expected == [paths.to_bytes(name.removeprefix("./") if ":" in name else name) for name in found]
