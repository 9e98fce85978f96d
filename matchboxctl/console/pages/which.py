"""The form "Which machine gets what?"."""

from functools import partial

from aiohttp import web

from matchboxctl.cli.errors import UsageError
from matchboxctl.console.console import CONSOLE
from matchboxctl.console.templates import command, page
from matchboxctl.render.every_route import Selected, selected

_MOST = 64
_EMPTY = Selected((), ())


async def which(request: web.Request) -> web.Response:
    """The form, and what machines with the labels get."""
    console, text = request.app[CONSOLE], request.query.get("labels", "")
    labels = [line.strip() for line in text.splitlines() if line.strip()]
    problem, found = "", _EMPTY
    try:
        if len(labels) > _MOST:
            raise UsageError(f"give at most {_MOST} labels")
        if "labels" in request.query:
            found = await console.stores.beside(partial(selected, console.settings.store, labels))
    except UsageError as error:
        problem = str(error)
    flags = [word for label in labels for word in ("--label", label)]
    return page(
        request,
        "which.html",
        warnings=found.warnings,
        text=text,
        problem=problem,
        responses=found.responses,
        command=command(request, "render", of=["ipxe"], flags=flags),
    )


ROUTES = (web.get("/which", which),)
