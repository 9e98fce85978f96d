"""Paths, redirects and queries are those of Go's net/http and net/url."""

import json
from urllib.parse import quote, urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.golang.http import paths
from lambda_matchbox.golang.http.paths import Redirect
from tests.support.paths import CONFORMANCE

ANY_TEXT = st.text(st.characters())
PATHS = st.text("ab./", max_size=20) | ANY_TEXT
QUERIES = st.text("ab&=;+%2fF/?", max_size=30) | ANY_TEXT


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", "/"),
        ("/", "/"),
        ("//", "/"),
        ("a", "/a"),
        ("/a", "/a"),
        ("/a/", "/a/"),
        ("/a//", "/a/"),
        ("//boot.ipxe", "/boot.ipxe"),
        ("/a/../boot.ipxe", "/boot.ipxe"),
        ("/assets/../secret.txt", "/secret.txt"),
        ("/../../a", "/a"),
        ("/a/.", "/a"),
        ("/a/./", "/a/"),
        ("/a/..", "/"),
        ("/a/../", "/"),
        ("/a/b/..", "/a"),
        ("/a/...", "/a/..."),
        ("/a/.b", "/a/.b"),
        ("/a\\..\\b", "/a\\..\\b"),
    ],
)
def test_paths_are_cleaned(path: str, expected: str) -> None:
    assert expected == paths.clean_path(path)


@given(PATHS)
def test_cleaning_is_idempotent(path: str) -> None:
    cleaned = paths.clean_path(path)
    assert cleaned == paths.clean_path(cleaned)
    assert not {"..", "."} & set(cleaned.split("/"))
    assert "//" not in cleaned


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("/a%20file.txt", "/a file.txt"),
        ("/a+file.txt", "/a+file.txt"),
        ("/%C3%bc.txt", "/ü.txt"),
        ("/pct%2541", "/pct%41"),
        ("/..%2fsecret", "/../secret"),
        ("/%ff", "/\udcff"),
        ("/%0", None),
        ("/%", None),
        ("/%zz", None),
        ("/%+1", None),
        ("/%\u06610", None),
    ],
)
def test_paths_are_unescaped(raw: str, expected: str | None) -> None:
    assert expected == paths.unescape(raw)


@given(st.binary())
def test_any_bytes_are_restored(path: bytes) -> None:
    text = paths.unescape(quote(path))
    assert text is not None
    assert path == paths.to_bytes(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ü", b"\xc3\xbc"), ("\udcff", b"\xff"), ("\udcc3\udcbc", b"\xc3\xbc"), ("\ud800\udc80", b"\xef\xbf\xbd\x80")],
)
def test_a_surrogate_is_its_byte_or_replaced(text: str, expected: bytes) -> None:
    assert expected == paths.to_bytes(text)


@given(ANY_TEXT)
def test_any_text_has_bytes(text: str) -> None:
    assert b"".join(paths.to_bytes(char) for char in text) == paths.to_bytes(text)


def test_recorded_redirects_are_equal() -> None:
    found = 0
    for name in ("assets", "seed"):
        for recorded in json.loads((CONFORMANCE / name / "answers.json").read_text()):
            response = recorded["answer"]
            if response["status"] != 301 or "content-type" not in response["headers"]:
                continue
            path = paths.unescape(recorded["request"]["target"])
            assert path is not None
            cleaned = "/assets/" if path == "/assets" else paths.clean_path(path)
            expected = Redirect(response["headers"]["location"], response["body"].encode())
            assert expected == paths.moved_permanently(cleaned, "")
            found += 1
    assert found == 8


@pytest.mark.parametrize(
    ("path", "raw_query", "location", "shown"),
    [
        ("/ipxe", "a=1&b=%20", "/ipxe?a=1&b=%20", "/ipxe?a=1&amp;b=%20"),
        ("/a b", "", "/a%20b", "/a%20b"),
        ("/ü", "x=ü", "/%C3%BC?x=%c3%bc", "/%C3%BC?x=ü"),
        ("/a?b", "", "/a%3Fb", "/a%3Fb"),
        ("/<'>", "<\"'>", "/%3C%27%3E?<\"'>", "/%3C%27%3E?&lt;&#34;&#39;&gt;"),
        ("/a:b", "", "/a:b", "/a:b"),
        ("/a\r\nb", "c\r\nd e", "/a%0D%0Ab?c%0d%0ad%20e", "/a%0D%0Ab?c\r\nd e"),
        ("//other.example/a", "", "/other.example/a", "/other.example/a"),
    ],
)
def test_redirects_escape_the_path_and_keep_the_query(path: str, raw_query: str, location: str, shown: str) -> None:
    expected = Redirect(location, f'<a href="{shown}">Moved Permanently</a>.\n\n'.encode())
    assert expected == paths.moved_permanently(path, raw_query)


@given(PATHS, QUERIES)
def test_no_redirect_leaves_the_host(path: str, raw_query: str) -> None:
    location = paths.moved_permanently(path, raw_query).location
    assert location.isascii()
    assert location.isprintable()
    assert " " not in location
    assert location.startswith("/")
    assert not location.startswith("//")


@pytest.mark.parametrize(
    ("path", "raw_query", "directory", "expected"),
    [
        ("/assets/flatcar", "", True, "flatcar/"),
        ("/assets/site", "x=1", True, "site/?x=1"),
        ("/assets/flatcar/", "", True, None),
        ("/assets/flatcar/3227.2.0/kernel/", "", False, "../kernel"),
        ("/kernel/", "x=%20", False, "../kernel?x=%20"),
        ("/kernel", "", False, None),
        ("/", "", True, None),
        ("/", "", False, None),
        ("", "", True, "./"),
        ("/a?b", "", True, "a%3Fb/"),
        ("/a:b", "", True, "./a:b/"),
        ("/a:b/", "", False, "../a:b"),
        ("/ü", "", True, "%C3%BC/"),
        ("/a\r\nb", "", True, "a%0D%0Ab/"),
    ],
)
def test_redirects_add_or_remove_a_slash(path: str, raw_query: str, directory: bool, expected: str | None) -> None:
    assert expected == paths.slash_redirect(path, raw_query, directory=directory)


@given(PATHS, st.booleans())
def test_slash_redirects_lead_to_the_right_path(path: str, directory: bool) -> None:
    path = paths.clean_path(path)
    here = "http://host" + paths.escape_path(path)
    if location := paths.slash_redirect(path, "", directory=directory):
        there = "http://host" + paths.escape_path(path.rstrip("/") + ("/" if directory else ""))
        # Go leaves the path `*` as it is, and escapes it in others.
        assert there.replace("*", "%2A") == urljoin(here, location).replace("*", "%2A")


@pytest.mark.parametrize(
    ("path", "raw_query", "expected"),
    [
        ("/assets/site/index.html", "", "./"),
        ("/index.html", "x=1", "./?x=1"),
        ("/assets/site/", "", None),
        ("/assets/xindex.html", "", None),
        ("/index.html/", "", None),
    ],
)
def test_index_pages_redirect_to_their_directory(path: str, raw_query: str, expected: str | None) -> None:
    assert expected == paths.index_page_redirect(path, raw_query)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("", []),
        ("a=1&b=2", [("a", "1"), ("b", "2")]),
        ("a=1&a=2", [("a", "1"), ("a", "2")]),
        ("serial=VMware-56%204d+x", [("serial", "VMware-56 4d x")]),
        ("a=%2B", [("a", "+")]),
        ("&&a&", [("a", "")]),
        ("=", [("", "")]),
        ("a==b=", [("a", "=b=")]),
        ("a;b=1&c=2", [("c", "2")]),
        ("arch=arm64;x=1", []),
        ("x=%zz&arch=arm64", [("arch", "arm64")]),
        ("%zz=x&%=&a%4", []),
        ("a%3b=%26%3d", [("a;", "&=")]),
        ("a=%C5%BC", [("a", "ż")]),
        ("a=ż", [("a", "ż")]),
        ("a=%ff", [("a", "\udcff")]),
        ("a=b?c/d#e", [("a", "b?c/d#e")]),
    ],
)
def test_queries_are_read(raw: str, expected: list[tuple[str, str]]) -> None:
    assert expected == paths.parse_query(raw)


@given(st.lists(st.tuples(st.binary(), st.binary())))
def test_escaped_pairs_are_read_back(pairs: list[tuple[bytes, bytes]]) -> None:
    raw = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in pairs)
    assert pairs == [(paths.to_bytes(key), paths.to_bytes(value)) for key, value in paths.parse_query(raw)]


@given(QUERIES)
def test_any_query_is_read(raw: str) -> None:
    for key, value in paths.parse_query(raw):
        assert key == key.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
        assert value == json.loads(json.dumps(value))
