"""What stands at the top of the documents of a YAML text? And how PyYAML is asked, here and for Butane.

The text is only parsed; nothing is built from it, so that no alias makes it large and no tag means anything.
"""

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    import yaml

MAX_DEPTH = 500
"""Lists and mappings in each other. libyaml's time grows with the square of the depth."""

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
"""How a plain scalar is written that stands for nothing."""

# Parser's events: some half a second of them. Configurations that are meant have some thousands.
_MAX_EVENTS = 500_000
_QUOTED = re.compile(r" '[^'<]{2,}'")


class YamlError(ValueError):
    """Text that is not YAML: why, and the line, counted from 1, if it is known. Nothing of the text is shown."""

    def __init__(self, reason: str, line: int | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


class Document(NamedTuple):
    """The top of a document: the keys of a mapping, else None; the line, counted from 1, where its content begins."""

    keys: frozenset[str] | None
    is_null: bool
    line: int


def documents(text: bytes, *, first_only: bool = False) -> list[Document]:
    """The documents of `text`; with `first_only` nothing behind the first one is read.

    Raises:
        YamlError: it is not YAML, nested too deeply, or too long.
    """
    import yaml

    bounded = _bounded(events(text))
    found: list[Document] = []
    try:
        for event in bounded:
            if isinstance(event, yaml.DocumentStartEvent):
                found.append(_document(bounded))
                if first_only:
                    break
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise YamlError(_QUOTED.sub("", error.problem or "it does not parse"), line) from None
    except yaml.YAMLError:
        raise YamlError("it has a character that YAML does not allow, or is not UTF-8", None) from None
    return found


def events(text: bytes) -> "Iterator[yaml.Event]":
    """The events of PyYAML's parser, which is libyaml's where that is there. Raises yaml.YAMLError."""
    import yaml

    found: Iterator[yaml.Event] = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return found


def _bounded(unbounded: "Iterator[yaml.Event]") -> "Iterator[yaml.Event]":
    for count, event in enumerate(unbounded):
        if count >= _MAX_EVENTS:
            raise YamlError("it has too many values: it takes too long", _line(event))
        yield event


def _document(bounded: "Iterator[yaml.Event]") -> Document:
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
            raise YamlError("an alias stands for nothing", _line(event))
        anchors.add(_anchor(event))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise YamlError("it is nested too deeply", _line(event))
    is_null = isinstance(top, yaml.ScalarEvent) and not top.style and top.value in NULLS
    return Document(frozenset(keys) if isinstance(top, yaml.MappingStartEvent) else None, is_null, _line(top))


def _anchor(event: "yaml.Event") -> str | None:
    import yaml

    return event.anchor if isinstance(event, yaml.NodeEvent) else None


def _line(event: "yaml.Event") -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
