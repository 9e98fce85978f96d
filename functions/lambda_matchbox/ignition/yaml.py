"""The top level of the documents of a YAML text, and the parser that Butane's reader shares.

The text is only parsed: no object is built from it, so that aliases cannot expand and tags mean nothing.
"""

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    import yaml

MAX_DEPTH = 500
"""The maximum depth of lists and mappings. libyaml's time grows with the square of the depth."""

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
"""The plain scalars that mean null."""

# Parser events; so many take about half a second. Real configurations have some thousands.
_MAX_EVENTS = 500_000
_QUOTED = r" '[^'<]{2,}'"


class YamlError(ValueError):
    """Text that is not YAML: the reason, which does not quote it, and the line, counted from 1, if known."""

    def __init__(self, reason: str, line: int | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


class YamlDocument(NamedTuple):
    """The top of a document: the keys of a mapping, else None; the line of its content, counted from 1."""

    keys: frozenset[str] | None
    is_null: bool
    line: int


def documents(text: bytes, *, first_only: bool = False) -> list[YamlDocument]:
    """The documents of `text`, only the first one with `first_only`.

    Raises:
        YamlError: it is not YAML, nested too deeply, or too long.
    """
    import yaml

    bounded = _bounded(events(text))
    found: list[YamlDocument] = []
    try:
        for event in bounded:
            if isinstance(event, yaml.DocumentStartEvent):
                found.append(_document(bounded))
                if first_only:
                    break
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise YamlError(re.sub(_QUOTED, "", error.problem or "it does not parse"), line) from None
    except yaml.YAMLError:
        raise YamlError("a character is not UTF-8 or not allowed in YAML", None) from None
    return found


def events(text: bytes) -> "Iterator[yaml.Event]":
    """The events of PyYAML's parser, libyaml's if available. Raises yaml.YAMLError."""
    import yaml

    found: Iterator[yaml.Event] = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return found


def _bounded(unbounded: "Iterator[yaml.Event]") -> "Iterator[yaml.Event]":
    for count, event in enumerate(unbounded):
        if count >= _MAX_EVENTS:
            raise YamlError("too many values", _line(event))
        yield event


def _document(bounded: "Iterator[yaml.Event]") -> YamlDocument:
    """Read the events up to the end of a document."""
    import yaml

    top = next(bounded)
    keys: set[str] = set()
    anchors: set[str | None] = {_anchor(top)}
    depth = int(isinstance(top, yaml.CollectionStartEvent))
    members = 0
    while depth:
        event = next(bounded)
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
            continue
        if depth == 1:
            members += 1
            if members % 2 and isinstance(event, yaml.ScalarEvent):
                keys.add(event.value)
        if isinstance(event, yaml.AliasEvent) and event.anchor not in anchors:
            raise YamlError("unknown alias", _line(event))
        anchors.add(_anchor(event))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise YamlError("nested too deeply", _line(event))
    is_null = isinstance(top, yaml.ScalarEvent) and not top.style and top.value in NULLS
    return YamlDocument(frozenset(keys) if isinstance(top, yaml.MappingStartEvent) else None, is_null, _line(top))


def _anchor(event: "yaml.Event") -> str | None:
    import yaml

    return event.anchor if isinstance(event, yaml.NodeEvent) else None


def _line(event: "yaml.Event") -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
