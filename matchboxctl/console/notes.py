"""What an action did, as a note on the next page."""

from collections.abc import Awaitable

from aiohttp import web

from lambda_matchbox.errors import MatchboxError
from matchboxctl.cli.errors import CommandError
from matchboxctl.console.console import SESSION
from matchboxctl.console.sessions import Note


async def noted(request: web.Request, done: Awaitable[str], line: str, where: str) -> web.Response:
    """Show the page with what was done, or why it was not, and with the command that does the same."""
    try:
        note = Note(await done, line)
    except (CommandError, MatchboxError) as error:
        note = Note(f"Not done: {error}", line, is_error=True)
    return web.Response(status=303, headers={"Location": f"{where}?note={request[SESSION].keep(note)}"})
