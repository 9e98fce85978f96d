"""Files below /assets/, served as by Go's `http.FileServer`, with redirects for large ones.

A large file of a directory is streamed by the server. One that is stored elsewhere does not pass through the
function: the client is redirected to an address that serves it. Clients that cannot follow that redirect (see
`assets.boot_clients`) get the bytes where they fit, else a token-free address, else an error that says what to
configure. No client ever gets a redirect that it would take for the file.
"""

from typing import NamedTuple

from lambda_matchbox.assets.boot_clients import Redirects, follows_signed, redirects
from lambda_matchbox.assets.stores import AssetFile, AssetStore
from lambda_matchbox.errors import NotFoundError, UndeliverableError
from lambda_matchbox.golang.http import content, directory_listing
from lambda_matchbox.golang.http.paths import clean_path, index_page_redirect, slash_redirect
from lambda_matchbox.http import FileBody, Request, Response

_INDEX = "index.html"
# No boot client requests more parts than this at once, and each may cost a read of the store.
_MAX_PARTS = 16


class Delivery(NamedTuple):
    """How bodies reach clients.

    `direct_limit` is the number of bytes up to which a body is sent directly; `boundary` divides multipart bodies.
    """

    direct_limit: int
    boundary: str


def respond(request: Request, path: str, store: AssetStore, delivery: Delivery) -> Response:
    """The response for the file or directory at `path`, which is decoded and relative to /assets/.

    Raises NotFoundError, UndeliverableError and StoreUnavailableError.
    """
    if location := index_page_redirect(path, request.raw_query):
        return Response.redirect(301, location)
    # The path of a CONNECT is not cleaned before, as with Go: the store never sees `..` or a rooted path.
    clean = clean_path(path).strip("/")
    file = store.file(clean) if clean else None
    if file is not None:
        if location := slash_redirect(path, request.raw_query, directory=False):
            return Response.redirect(301, location)
        return _file(request, clean, file, store, delivery)
    index = f"{clean}/{_INDEX}".lstrip("/")
    if (path.endswith("/") or not path) and (file := store.file(index)) is not None:
        return _file(request, index, file, store, delivery)
    listing = store.listing(clean)
    if listing is None:
        raise NotFoundError(f"no asset {clean!r}")
    if location := slash_redirect("/" + path, request.raw_query, directory=True):
        return Response.redirect(301, location)
    page = directory_listing.render(listing.files, listing.directories)
    return Response.of(page, directory_listing.CONTENT_TYPE)


def _file(request: Request, path: str, file: AssetFile, store: AssetStore, delivery: Delivery) -> Response:
    reply = content.serve(
        request.method,
        request.headers,
        size=file.size,
        content_type=file.content_type,
        boundary=delivery.boundary,
        etag=file.etag,
        modified=file.modified,
    )
    if not any(isinstance(piece, content.Span) for piece in reply.body):
        return Response(reply.status, reply.headers, content.assemble(reply.body, b""))
    if file.size <= delivery.direct_limit:
        return Response(reply.status, reply.headers, content.assemble(reply.body, store.read(path, 0, file.size)))
    if request.method == "HEAD":
        return Response(reply.status, reply.headers)
    return _large(request, path, reply, store, delivery)


def _large(request: Request, path: str, reply: content.Reply, store: AssetStore, delivery: Delivery) -> Response:
    user_agent = request.headers.get("user-agent", "")
    location = store.location(path, request.origin)
    if not isinstance(location, str):
        return Response(reply.status, reply.headers, file=FileBody(location, reply.body))
    able = redirects(user_agent)
    if able is Redirects.ANY:
        return Response.redirect(302, location)
    plain = store.plain_address(path)
    if able is not Redirects.NONE and plain is not None:
        return Response.redirect(302, plain)
    if able is not Redirects.NONE and follows_signed(user_agent, location):
        return Response.redirect(302, location)
    spans = [piece for piece in reply.body if isinstance(piece, content.Span)]
    if sum(span.length for span in spans) <= delivery.direct_limit and len(spans) <= _MAX_PARTS:
        pieces = [p if isinstance(p, bytes) else store.read(path, p.start, p.length) for p in reply.body]
        return Response(reply.status, reply.headers, b"".join(pieces))
    raise UndeliverableError(_advice(path, user_agent, plain))


def _advice(path: str, user_agent: str, plain: str | None) -> str:
    """What the operator can do for this client; `plain` is the file's token-free address."""
    client = user_agent.partition(" ")[0]
    if plain is not None:
        return f"{client!r} follows no redirect, and {path!r} is too large to be answered: name {plain} to it"
    return (
        f"{client!r} follows no signed redirect, and {path!r} is too large to be answered: "
        "set MATCHBOX_BUCKET_URL to a token-free http:// address of the bucket"
    )
