"""The log for a person: a short, aligned line for each request, and what does not fit there below it."""

import logging
import os
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO

from lambda_matchbox.web.line_log import LineLog
from matchboxctl.cli.tables import shown

_WIDTH = 80
_NARROWEST, _WIDEST = 60, 120
_MACHINE = len("52:54:00:12:34:56")
_INDENT = " " * len("00:00:00  ")
_FIXED = len(_INDENT) + _MACHINE + len("    404  00000 ms")
_DIM, _RED, _GREEN, _YELLOW, _CYAN = "2", "31", "32", "33", "36"
_STATUS_COLOURS = {"2": _GREEN, "3": _CYAN, "4": _YELLOW}
_LEVEL_COLOURS = {logging.INFO: _GREEN, logging.WARNING: _YELLOW}


class TerminalLog(LineLog):
    """A log of lines as wide as the stream's terminal, with colours or without."""

    def __init__(self, level: str, stream: TextIO, *, coloured: bool) -> None:
        super().__init__(level, stream)
        self._coloured = coloured

    def text(self, level: int, message: str, fields: Mapping[str, object]) -> str:
        """The record's line, and those below it."""
        width = min(max(self._terminal_width(), _NARROWEST), _WIDEST)
        lines = self._request(fields, width) if message == "request" else self._record(level, message, fields, width)
        return f"{self._colour(_DIM, time.strftime('%H:%M:%S'))}  " + f"\n{_INDENT}".join(lines)

    def _request(self, fields: Mapping[str, object], width: int) -> Iterator[str]:
        """Machine, what it requests, status, milliseconds; in full where they fail the reason and the machine."""
        texts = {name: shown(str(value)) for name, value in fields.items()}
        room = width - _FIXED
        what = " ".join(filter(None, (texts["method"].removeprefix("GET"), texts["path"])))
        reason, group = texts.get("reason", ""), texts.get("group", "")
        with_more = ": ".join(filter(None, (what, reason))) if reason else f"{what} → {group}" if group else what
        is_below = bool(reason) and len(with_more) > room
        colour = _STATUS_COLOURS.get(texts["status"][0], _RED)
        named = ((name, texts.get(name)) for name in ("mac", "hostname", "serial", "uuid", "client"))
        name, machine = next(((name, text) for name, text in named if text), ("", "-"))
        yield "  ".join(
            (
                f"{_shortened(machine, _MACHINE):{_MACHINE}}",
                f"{_shortened(what if is_below else with_more, room):{room}}",
                self._colour(colour, texts["status"]),
                self._colour(_DIM, f"{_milliseconds(float(texts['milliseconds'])):>5} ms"),
            )
        )
        if len(machine) > _MACHINE and texts["status"] >= "4":
            yield from self._wrapped(f"{name}={machine}", width, colour)
        if is_below:
            yield from self._wrapped(reason, width, colour)
        for name in ("ignored_labels", "butane"):
            value = fields.get(name)
            for line in value if isinstance(value, Sequence) else ():
                yield from self._wrapped(f"{name}: {shown(str(line))}", width, _YELLOW)

    def _record(self, level: int, message: str, fields: Mapping[str, object], width: int) -> Iterator[str]:
        """Level, message and fields; a traceback has its own lines."""
        name = f"{logging.getLevelName(level).lower()}:"
        pairs = [f"{name}={_text(value)}" for name, value in fields.items() if not name.startswith("exception")]
        first, *rest = self._wrapped(" ".join([name, shown(message), *pairs]), width)
        yield self._colour(_LEVEL_COLOURS.get(level, _RED), name) + first.removeprefix(name)
        yield from rest
        yield from map(shown, str(fields.get("exception", "")).splitlines())

    def _wrapped(self, text: str, width: int, colour: str = "") -> list[str]:
        lines = textwrap.wrap(text, width - len(_INDENT), break_on_hyphens=False)
        return [self._colour(colour, line) for line in lines]

    def _colour(self, colour: str, text: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._coloured and colour else text

    def _terminal_width(self) -> int:
        try:
            # Terminals of no known width have 0.
            return os.get_terminal_size(self._stream.fileno()).columns or _WIDTH
        except (OSError, ValueError):
            return _WIDTH


def _milliseconds(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _shortened(text: str, room: int) -> str:
    """The beginning and the end of a long text: the end of a path says the most."""
    end = room * 2 // 3
    return text if len(text) <= room else f"{text[: room - 1 - end]}…{text[-end:]}"


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        value = ", ".join(f"{key}: {each}" for key, each in value.items())
    return shown(str(value))
