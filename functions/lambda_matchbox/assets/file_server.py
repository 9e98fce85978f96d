"""The files below /assets/, as Go's `http.FileServer` answers for them, with redirects for what is large.

A large file is not carried through the function: the client is sent to an address that serves it by itself. Which
clients can be sent there is told by `assets.boot_clients`; the others get the bytes where they fit, else a
token-free address, else an error that says what to configure. Never a redirect that a client takes for the file.
"""

from collections.abc import Mapping
from typing import NamedTuple

from lambda_matchbox.assets.boot_clients import Redirects, follows_signed, redirects
from lambda_matchbox.assets.stores import AssetFile, AssetStore
from lambda_matchbox.errors import NotFoundError, UndeliverableError
from lambda_matchbox.golang.http import content, directory_listing
from lambda_matchbox.golang.http.paths import clean_path, index_page_redirect, slash_redirect

_INDEX = "index.html"
# More parts than this in one answer are no boot client's wish, and each may cost a read of the store.
_MOST_PARTS = 16


class AssetRequest(NamedTuple):
    """How a file is asked for: `path` is decoded, below /assets/; `origin` is scheme and host as the client asked."""

    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]
    origin: str


class Delivery(NamedTuple):
    """How large files reach clients.

    `direct_limit` is the number of bytes up to which a body is answered directly; `boundary` divides multipart answers.
    """

    direct_limit: int
    boundary: str


class AssetAnswer(NamedTuple):
    """Status, headers in lower case, body. The front end streams the file that `front` names in the body's place."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    front: str | None = None


def answer(request: AssetRequest, store: AssetStore, delivery: Delivery) -> AssetAnswer:
    """Answer for the file or directory. Raises NotFoundError, UndeliverableError and StoreUnavailableError."""
    if redirect := index_page_redirect(request.path, request.raw_query):
        return _redirect(301, redirect.location)
    directory = request.path.endswith("/") or not request.path
    # The path of a CONNECT comes uncleaned, as with Go: the store is never asked for `..` or a rooted path.
    path = clean_path(request.path).strip("/")
    file = store.file(path) if path else None
    if file is not None:
        if redirect := slash_redirect(request.path, request.raw_query, directory=False):
            return _redirect(301, redirect.location)
        return _file(request, path, file, store, delivery)
    if directory and (index := store.file(f"{path}/{_INDEX}".lstrip("/"))) is not None:
        return _file(request, f"{path}/{_INDEX}".lstrip("/"), index, store, delivery)
    listing = store.listing(path)
    if listing is None:
        raise NotFoundError(f"no asset {path!r}")
    if redirect := slash_redirect("/" + request.path, request.raw_query, directory=True):
        return _redirect(301, redirect.location)
    page = directory_listing.render(listing.files, listing.directories)
    headers = {"content-type": directory_listing.CONTENT_TYPE, "content-length": str(len(page))}
    return AssetAnswer(200, headers, page)


def _file(request: AssetRequest, path: str, file: AssetFile, store: AssetStore, delivery: Delivery) -> AssetAnswer:
    # HEAD is answered with the body where it fits, since the balancer counts it for Content-Length and drops it.
    reply = content.serve(
        "GET" if request.method == "HEAD" else request.method,
        request.headers,
        size=file.size,
        content_type=file.content_type,
        boundary=delivery.boundary,
        etag=file.etag,
        modified=file.modified,
    )
    if not any(isinstance(piece, content.Span) for piece in reply.body):
        return AssetAnswer(reply.status, reply.headers, content.assemble(reply.body, b""))
    if file.size <= delivery.direct_limit:
        return AssetAnswer(reply.status, reply.headers, content.assemble(reply.body, store.read(path, 0, file.size)))
    if request.method == "HEAD":
        return AssetAnswer(reply.status, reply.headers)
    return _large(request, path, reply, store, delivery)


def _large(
    request: AssetRequest, path: str, reply: content.Reply, store: AssetStore, delivery: Delivery
) -> AssetAnswer:
    user_agent = next((value for name, value in request.headers.items() if name.lower() == "user-agent"), "")
    able = redirects(user_agent)
    if able is Redirects.ANY:
        return _redirect(302, store.address(path, request.origin))
    if front := store.accel_redirect(path):
        return AssetAnswer(reply.status, reply.headers, front=front)
    plain = store.plain_address(path)
    if able is not Redirects.NONE and plain is not None:
        return _redirect(302, plain)
    if able is not Redirects.NONE:
        address = store.address(path, request.origin)
        if follows_signed(user_agent, address):
            return _redirect(302, address)
    spans = [piece for piece in reply.body if isinstance(piece, content.Span)]
    if sum(span.length for span in spans) <= delivery.direct_limit and len(spans) <= _MOST_PARTS:
        pieces = [p if isinstance(p, bytes) else store.read(path, p.start, p.length) for p in reply.body]
        return AssetAnswer(reply.status, reply.headers, b"".join(pieces))
    raise UndeliverableError(_advice(path, user_agent, plain))


def _advice(path: str, user_agent: str, plain: str | None) -> str:
    """What the operator has to do for this client; `plain` is the file's token-free address."""
    client = user_agent.partition(" ")[0]
    if plain is not None:
        return f"{client!r} follows no redirect, and {path!r} is too large to be answered: name {plain} to it"
    return (
        f"{client!r} follows no signed redirect, and {path!r} is too large to be answered: "
        "set MATCHBOX_BUCKET_URL to a token-free http:// address of the bucket"
    )


def _redirect(status: int, location: str) -> AssetAnswer:
    return AssetAnswer(status, {"location": location, "content-length": "0"})
