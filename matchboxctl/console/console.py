"""What the handlers of a console share."""

import asyncio
from typing import NamedTuple

from aiohttp import web
from jinja2 import Environment

from matchboxctl.console.counts import Counts
from matchboxctl.console.sessions import Note, Session, Sessions
from matchboxctl.console.settings import ConsoleSettings
from matchboxctl.console.store_threads import StoreThreads


class Console(NamedTuple):
    """The settings, the secret of the first address, and what handlers use."""

    settings: ConsoleSettings
    secret: str
    sessions: Sessions
    stores: StoreThreads
    templates: Environment
    counts: Counts
    login: asyncio.Lock


CONSOLE = web.AppKey("console", Console)
FORM = web.RequestKey("form", dict[str, str])
SESSION = web.RequestKey("session", Session)
NOTES = web.RequestKey("notes", list[Note])
