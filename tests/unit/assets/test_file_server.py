"""Assets: small ones are sent directly, large ones in a way that the client can follow."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lambda_matchbox.assets.file_server import Delivery, respond
from lambda_matchbox.assets.stores import AssetFile, DirectoryListing
from lambda_matchbox.errors import NotFoundError, UndeliverableError
from lambda_matchbox.golang.http.content import Span
from lambda_matchbox.golang.http.paths import escape_path
from lambda_matchbox.http import FileBody, Request, Response

LIMIT = 100
SMALL, LARGE = bytes(range(LIMIT)), bytes(range(250)) * 4
FILES = {"small": SMALL, "dir/large.img": LARGE, "dir/a b+c": LARGE, "page/index.html": b"<p>", "dir/..x": b"x"}
MODIFIED = datetime(2024, 5, 6, tzinfo=UTC)
ORIGIN = "http://boot.test:8080"
PLAIN = "http://mirror.test/assets"
OLD_IPXE, BETWEEN_IPXE = "iPXE/1.0.0+git-20190125.36a4c85-5.1", "iPXE/1.21.1+ (g1234)"


class Memory:
    """An asset store in memory whose signed addresses end in `token`; it records reads and signed paths."""

    def __init__(self, token: str = "token", *, local: bool = False, plain: str = "") -> None:
        self.token = token
        self.plain = plain
        self.local = local
        self.reads: list[tuple[str, int, int]] = []
        self.signed: list[str] = []

    def file(self, path: str) -> AssetFile | None:
        found = FILES.get(path)
        return None if found is None else AssetFile(len(found), "application/x-test", '"e"', MODIFIED)

    def listing(self, path: str) -> DirectoryListing | None:
        inside = [
            name.removeprefix(f"{path}/".lstrip("/")) for name in FILES if name.startswith(f"{path}/".lstrip("/"))
        ]
        if not inside:
            return None
        return DirectoryListing(
            [name for name in inside if "/" not in name], sorted({n.split("/")[0] for n in inside if "/" in n})
        )

    def read(self, path: str, start: int, length: int) -> bytes:
        self.reads.append((path, start, length))
        return FILES[path][start : start + length]

    def location(self, path: str, origin: str) -> Path | str:
        if self.local:
            return Path("/srv/assets", path)
        self.signed.append(path)
        return f"{origin}/signed/{path}?{self.token}"

    def plain_address(self, path: str) -> str | None:
        return f"{self.plain}/{escape_path(path)}" if self.plain else None


def asked(
    path: str,
    user_agent: str = "curl/8.5.0",
    *,
    store: Memory | None = None,
    method: str = "GET",
    query: str = "",
    **headers: str,
) -> Response:
    given = {"host": "boot.test:8080", "user-agent": user_agent, **headers}
    return respond(Request(method, "", query, given), path, store or Memory(), Delivery(LIMIT, "boundary"))


@pytest.mark.parametrize("user_agent", ["curl/8.5.0", "GRUB 2.06", OLD_IPXE, ""])
def test_small_file_is_sent_directly(user_agent: str) -> None:
    found = asked("small", user_agent)
    assert (200, SMALL, None) == (found.status, found.body, found.file)
    assert "100" == found.headers["content-length"]
    assert "application/x-test" == found.headers["content-type"]
    assert '"e"' == found.headers["etag"]
    assert "Mon, 06 May 2024 00:00:00 GMT" == found.headers["last-modified"]


def test_range_of_a_small_file() -> None:
    found = asked("small", range="bytes=10-19")
    assert (206, SMALL[10:20]) == (found.status, found.body)
    assert ("bytes 10-19/100", "10") == (found.headers["content-range"], found.headers["content-length"])


def test_several_ranges_are_multipart() -> None:
    """With a Content-Length."""
    found = asked("small", range="bytes=0-0,5-6")
    assert 206 == found.status
    assert "multipart/byteranges; boundary=boundary" == found.headers["content-type"]
    assert str(len(found.body)) == found.headers["content-length"]
    assert b"\r\n\r\n" + SMALL[5:7] + b"\r\n--boundary--\r\n" in found.body


@pytest.mark.parametrize("path", ["small", "dir/large.img"])
def test_failed_preconditions_read_nothing(path: str) -> None:
    """A 304, a 412 or a 416 neither reads nor signs."""
    store = Memory()
    assert 304 == asked(path, store=store, **{"if-none-match": '"e"'}).status
    assert 412 == asked(path, store=store, **{"if-match": '"x"'}).status
    assert 416 == asked(path, store=store, range="bytes=5000-").status
    assert ([], []) == (store.reads, store.signed)


@pytest.mark.parametrize("user_agent", ["curl/8.5.0", "iPXE/2.0.0", "Ignition/2.19.0", ""])
def test_large_file_is_redirected(user_agent: str) -> None:
    """To a signed address on the host of the request."""
    store = Memory("a%2Bb", plain=PLAIN)
    found = asked("dir/large.img", user_agent, store=store)
    assert (302, f"{ORIGIN}/signed/dir/large.img?a%2Bb") == (found.status, found.headers["location"])
    assert (b"", None, []) == (found.body, found.file, store.reads)
    assert "0" == found.headers["content-length"]


@pytest.mark.parametrize("user_agent", ["GRUB 2.06", "UefiHttpBoot/1.0", "U-Boot/2024.01"])
@pytest.mark.parametrize("plain", ["", PLAIN])
def test_client_without_redirects_gets_none(user_agent: str, plain: str) -> None:
    """It would take the redirect for the file."""
    store = Memory(plain=plain)
    # Where the address is set already, the client itself has to be told it.
    advice = f"name {plain}/dir/large.img to it" if plain else "set MATCHBOX_BUCKET_URL"
    with pytest.raises(UndeliverableError, match=advice) as raised:
        asked("dir/large.img", user_agent, store=store)
    assert "'dir/large.img'" in str(raised.value)
    assert [] == store.reads


def test_small_ranges_of_a_large_file_are_sent_directly() -> None:
    """Only they are read."""
    store = Memory()
    found = asked("dir/large.img", "GRUB 2.06", store=store, range="bytes=500-599")
    assert (206, LARGE[500:600]) == (found.status, found.body)
    assert [("dir/large.img", 500, 100)] == store.reads
    two = asked("dir/large.img", "GRUB 2.06", store=store, range="bytes=0-1,-2")
    assert 206 == two.status
    assert b"\r\n\r\n" + LARGE[-2:] + b"\r\n--boundary--\r\n" in two.body


@pytest.mark.parametrize("wanted", ["bytes=500-600", "bytes=0-50,100-149", "bytes=" + ",".join(["0-0"] * 17)])
def test_large_or_many_ranges_are_refused(wanted: str) -> None:
    store = Memory()
    with pytest.raises(UndeliverableError):
        asked("dir/large.img", "GRUB 2.06", store=store, range=wanted)
    assert [] == store.reads


@pytest.mark.parametrize("user_agent", [OLD_IPXE, "iPXE/1.21.1", BETWEEN_IPXE])
def test_old_ipxe_is_redirected_to_the_token_free_address(user_agent: str) -> None:
    store = Memory("a%2Bb", plain=PLAIN)
    found = asked("dir/a b+c", user_agent, store=store)
    assert (302, f"{PLAIN}/dir/a%20b+c") == (found.status, found.headers["location"])


@pytest.mark.parametrize("user_agent", [OLD_IPXE, "iPXE/1.21.1"])
def test_old_ipxe_gets_no_address_with_2b(user_agent: str) -> None:
    """It rewrites `%2B`, which breaks the signature."""
    with pytest.raises(UndeliverableError, match="MATCHBOX_BUCKET_URL"):
        asked("dir/large.img", user_agent, store=Memory("a%2Bb"))
    assert (
        f"{ORIGIN}/signed/dir/large.img?a%2Fb"
        == asked("dir/large.img", user_agent, store=Memory("a%2Fb")).headers["location"]
    )


def test_ipxe_1_21_1_plus_gets_the_signed_address() -> None:
    """It may have the fix."""
    found = asked("dir/large.img", BETWEEN_IPXE, store=Memory("a%2Bb"))
    assert f"{ORIGIN}/signed/dir/large.img?a%2Bb" == found.headers["location"]


@pytest.mark.parametrize("user_agent", ["curl/8.5.0", "GRUB 2.06", "UefiHttpBoot/1.0", OLD_IPXE, BETWEEN_IPXE])
def test_server_streams_a_local_file(user_agent: str) -> None:
    store = Memory("a%2Bb", local=True, plain=PLAIN)
    found = asked("dir/large.img", user_agent, store=store, range="bytes=1-998")
    assert (206, b"", FileBody(Path("/srv/assets/dir/large.img"), (Span(1, 998),))) == (
        found.status,
        found.body,
        found.file,
    )
    assert ("bytes 1-998/1000", "998") == (found.headers["content-range"], found.headers["content-length"])
    assert ([], []) == (store.reads, store.signed)


@pytest.mark.parametrize("user_agent", ["curl/8.5.0", "GRUB 2.06", OLD_IPXE])
def test_head_of_a_large_file_has_its_length(user_agent: str) -> None:
    """It is neither redirected nor read."""
    store = Memory()
    found = asked("dir/large.img", user_agent, store=store, method="HEAD")
    assert (200, "1000", b"") == (found.status, found.headers["content-length"], found.body)
    assert "location" not in found.headers
    assert ([], []) == (store.reads, store.signed)


def test_head_of_a_small_file_has_the_body() -> None:
    """The balancer counts it for Content-Length and drops it."""
    assert SMALL == asked("small", method="HEAD").body


@pytest.mark.parametrize(
    ("path", "location"),
    [("dir", "dir/"), ("page/index.html", "./"), ("small/", "../small"), ("dir/large.img/", "../large.img")],
)
def test_other_spellings_are_redirected(path: str, location: str) -> None:
    """A directory has a trailing slash, a file none; an index page is its directory; the query is kept."""
    assert (301, f"{location}?a=b") == (asked(path, query="a=b").status, asked(path, query="a=b").headers["location"])


def test_directory_is_its_index_page_or_a_listing() -> None:
    assert b"<p>" == asked("page/").body
    listing = asked("")
    assert 200 == listing.status
    assert b'<a href="dir/">dir/</a>\n<a href="page/">page/</a>\n<a href="small">small</a>\n' in listing.body
    assert str(len(listing.body)) == listing.headers["content-length"]
    # The balancer counts the page for Content-Length, and drops it.
    assert asked("dir/").body == asked("dir/", method="HEAD").body


@pytest.mark.parametrize("path", ["absent", "small/below", "dir/absent/", "Small"])
def test_absent_file_is_named(path: str) -> None:
    with pytest.raises(NotFoundError, match=path.rstrip("/")):
        asked(path)


@pytest.mark.parametrize("path", ["../small", "/small", "dir/../../small", "dir//../small", "./small"])
def test_store_gets_clean_paths(path: str) -> None:
    """The path of a CONNECT is not cleaned before."""
    assert SMALL == asked(path, method="CONNECT").body


def test_name_may_begin_with_two_dots() -> None:
    assert b"x" == asked("dir/..x").body
