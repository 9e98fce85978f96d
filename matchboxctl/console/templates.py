"""The templates of pages: every value is escaped."""

import hashlib
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path
from shlex import quote
from typing import Any
from urllib.parse import quote as url_quote

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from matchboxctl.console.console import CONSOLE, NOTES, SESSION
from matchboxctl.console.navigation import NAVIGATION
from matchboxctl.machines.event_texts import clock, duration, utc
from matchboxctl.render.body_masks import masked_body

_HERE = Path(__file__).parent


def environment() -> Environment:
    """The templates, with the filters that they share."""
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "when": _when,
        "element": _element,
        "segment": _segment,
        "masked": masked_body,
        "rfc3339": utc,
        "day": _day,
        "clock": clock,
        "duration": duration,
    }
    return made


def page(
    request: web.Request, template: str, *, status: int = HTTPStatus.OK, warnings: Sequence[str] = (), **values: Any
) -> web.Response:
    """A page, with what all pages show."""
    console, session = request.app[CONSOLE], request.get(SESSION)
    shared = {
        "navigation": NAVIGATION if session is not None else (),
        "path": request.path,
        "csrf": "" if session is None else session.csrf,
        "notes": request.get(NOTES, []),
        "settings": console.settings,
        "command": partial(command, request),
        "warnings": [line.removeprefix("warning: ") for line in warnings],
    }
    text = console.templates.get_template(template).render(shared | values)
    return web.Response(text=text, status=status, content_type="text/html", charset="utf-8")


def command(request: web.Request, *words: str, of: Sequence[str] = (), flags: Sequence[str] = ()) -> str:
    """The command line that does the same on the console's store, of things with these names."""
    flags = (*flags, *request.app[CONSOLE].settings.where)
    # A serial number or an id may look like a flag.
    ordered = (*flags, "--", *of) if any(name.startswith("-") for name in of) else (*of, *flags)
    return " ".join(map(_shell_word, ("matchboxctl", *words, *ordered)))


def _shell_word(word: str) -> str:
    """A word as a shell reads it, without characters that a terminal or a reader takes for something else."""
    if word.isprintable():
        return quote(word)
    escaped = (one if one.isprintable() and one not in "\\'" else f"\\U{ord(one):08x}" for one in word)
    return f"$'{''.join(escaped)}'"


def _when(milliseconds: int) -> Markup | str:
    """A time, which the page's script shows in the reader's zone."""
    text = utc(milliseconds)
    if text is None:
        return ""
    return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(text, f"{text[:10]} {text[11:19]} UTC")


def _day(milliseconds: int) -> str:
    return (utc(milliseconds) or "")[:10]


def _element(text: str) -> str:
    """The id of the element that stands for a thing of that name."""
    return "e" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _segment(text: str) -> str:
    """A text as one segment of a path."""
    # Browsers take `..` for the folder above; a serial number is the same with a space.
    return url_quote(f"{text} " if text in (".", "..") else text, safe=":")
