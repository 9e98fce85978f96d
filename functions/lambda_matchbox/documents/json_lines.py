"""On which line of a JSON text does something stand? For messages to who wrote it: it reads the text once more."""

import json
import re
from collections.abc import Sequence

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[][{}:,]|[^][{}:,"\s]+', re.DOTALL)


def line_at(text: str, position: int) -> int:
    """The line of a position; the first is 1."""
    return text.count("\n", 0, position) + 1


def line_of_value(text: str, value: str) -> int:
    """The line of the first number or word that begins so; 1 where there is none."""
    found = (token.start() for token in _TOKEN.finditer(text) if token[0].startswith(value))
    return line_at(text, next(found, 0))


def line_of_deepest(text: str) -> int:
    """The line on which most lists and objects are open, the first of them."""
    depth = most = position = 0
    for token in _TOKEN.finditer(text):
        depth += (token[0] in "{[") - (token[0] in "}]")
        if depth > most:
            most, position = depth, token.start()
    return line_at(text, position)


def line_of_path(text: str, path: Sequence[str | int]) -> int:
    """The line of a key, or of a list's element, in a text that parses; else of what is nearest above it.

    A key may be written in any case where `path` has it in lower case. Of several the last counts, as it does for who
    reads the text.
    """
    here: list[str | int] = []
    due = False  # whether a key or an element comes next
    level = position = 0
    for token in _TOKEN.finditer(text):
        word = token[0]
        if word in "}]":
            here.pop()
            due = False
            continue
        if due:
            last = here[-1]
            here[-1] = last + 1 if isinstance(last, int) else json.loads(word)
            due = False
            if level <= len(here) <= len(path) and all(map(_is, here, path)):
                level, position = len(here), token.start()
        if word in "{[":
            here.append("" if word == "{" else -1)
        due = word in "{[,"
    return line_at(text, position)


def _is(key: str | int, wanted: str | int) -> bool:
    return key == wanted or (isinstance(key, str) and key.lower() == wanted)
