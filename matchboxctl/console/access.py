"""Who may use a console: the session, the Host header, the token of forms, and headers that bind browsers."""

import asyncio
import hmac
from contextlib import suppress
from urllib.parse import parse_qsl, urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from matchboxctl.console.console import CONSOLE, FORM, NOTES, SESSION, Console
from matchboxctl.console.sessions import Note, Session
from matchboxctl.console.templates import page
from matchboxctl.serve.host_names import is_known_host

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "matchboxctl",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_OPEN = ("/static/", "/login")
"""The beginnings of paths that need no session."""

_FORM_SECONDS = 10.0
_LOGIN_SECONDS = 1.0


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers that every response has."""
    response.headers.update(_HEADERS)
    cache = "no-cache" if request.path.startswith("/static/") else "no-store"
    response.headers.setdefault(hdrs.CACHE_CONTROL, cache)


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer those who may ask, and refuse all others."""
    console = request.app[CONSOLE]
    _check_host(request, console)
    if request.path.startswith(_OPEN):
        return await handler(request)
    token = request.query.get("token", "")
    if token and not console.settings.password and request.method == hdrs.METH_GET:
        return _entered(request, console, token)
    session = console.sessions.find(request.cookies.get(_cookie(request), ""))
    if session is None:
        return await _without_session(request, console)
    request[SESSION] = session
    request[NOTES] = [note for name in request.query.getall("note", ()) if (note := session.notes.pop(name, None))]
    if request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
        await _check_form(request, console, session)
    return await handler(request)


def _check_host(request: web.Request, console: Console) -> None:
    is_known = is_known_host(request.host, {"localhost", *console.settings.host_names})
    with suppress(ValueError):
        # Raised for what is no port.
        if is_known and request.url:
            return
    raise web.HTTPMisdirectedRequest(text="this console does not answer to that host name: see --host-names")


def _entered(request: web.Request, console: Console, token: str) -> web.Response:
    if not hmac.compare_digest(token.encode(), console.secret.encode()):
        raise web.HTTPForbidden(text="this is not the address of this console: open the one that it printed last")
    where = str(request.rel_url.without_query_params("token"))
    # `//host/` would be another host.
    return _with_session(request, console, f"/{where.lstrip('/')}")


def _with_session(request: web.Request, console: Console, where: str) -> web.Response:
    response = web.Response(status=303, headers={hdrs.LOCATION: where})
    name = console.sessions.begin()
    secure = console.settings.certificate is not None
    response.set_cookie(_cookie(request), name, httponly=True, samesite="Strict", secure=secure, path="/")
    return response


def _cookie(request: web.Request) -> str:
    """The name of the cookie: consoles at other ports of a host share its cookies."""
    return f"matchbox-console-{request.url.port}"


async def _without_session(request: web.Request, console: Console) -> web.Response:
    if console.settings.password:
        if request.method == hdrs.METH_GET and "x-live" not in request.headers:
            return web.Response(status=303, headers={hdrs.LOCATION: "/login"})
        raise web.HTTPForbidden(text="the session has ended: log in again")
    raise web.HTTPForbidden(text="there is no session, or it has ended: open the address that the console printed")


async def _check_form(request: web.Request, console: Console, session: Session) -> None:
    _check_origin(request)
    if console.settings.read_only:
        raise web.HTTPForbidden(text="this console only reads: start it without --read-only")
    form = await _form(request)
    if not session.sent(form.get("csrf", "")):
        raise web.HTTPForbidden(text="this form is not of this session: reload the page, and send it again")
    request[FORM] = form


async def _form(request: web.Request) -> dict[str, str]:
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType(text="this is no form of this console")
    try:
        async with asyncio.timeout(_FORM_SECONDS):
            body = await request.read()
    except TimeoutError as error:
        raise web.HTTPRequestTimeout(text="the form did not arrive: send it again") from error
    except (ConnectionError, web.RequestPayloadError) as error:
        raise web.HTTPBadRequest(text="the form is not complete") from error
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))


def _check_origin(request: web.Request) -> None:
    origin = request.headers.get(hdrs.ORIGIN, "")
    # Browsers send `null` where the policy says that there is no referrer.
    if origin not in ("", "null") and urlsplit(origin).netloc != request.host:
        raise web.HTTPForbidden(text="this form was sent from another site")


async def login_page(request: web.Request) -> web.Response:
    """The form for the password."""
    return page(request, "login.html")


async def log_in(request: web.Request) -> web.Response:
    """Begin a session for the password."""
    console = request.app[CONSOLE]
    _check_origin(request)
    given = (await _form(request)).get("password", "")
    password = console.settings.password
    async with console.login:
        if password and hmac.compare_digest(given.encode(), password.encode()):
            return _with_session(request, console, "/")
        # Nobody tries more than one in a second.
        await asyncio.sleep(_LOGIN_SECONDS)
    request[NOTES] = [Note("This is not the password.", is_error=True)]
    return page(request, "login.html", status=403)
