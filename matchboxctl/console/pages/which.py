"""The form "Which machine gets what?"."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from aiohttp import web

from matchboxctl.cli.errors import UsageError
from matchboxctl.console.console import CONSOLE
from matchboxctl.console.store_threads import Result
from matchboxctl.console.templates import command, page
from matchboxctl.render.every_route import selected

_MOST = 64


async def which(request: web.Request) -> web.Response:
    """The form, and what machines with the labels get."""
    console, text = request.app[CONSOLE], request.query.get("labels", "")
    labels = [line.strip() for line in text.splitlines() if line.strip()]
    problem, found = "", Result[Sequence[Mapping[str, Any]]]((), [])
    try:
        if len(labels) > _MOST:
            raise UsageError(f"give at most {_MOST} labels")
        if "labels" in request.query:
            await console.stores.ready()
            found = await console.stores.run(partial(selected, labels=labels))
    except UsageError as error:
        problem = str(error)
    flags = [word for label in labels for word in ("--label", label)]
    return page(
        request,
        "which.html",
        warnings=found.warnings,
        text=text,
        problem=problem,
        responses=found.value,
        command=command(request, "render", of=["ipxe"], flags=flags),
    )


ROUTES = (web.get("/which", which),)
