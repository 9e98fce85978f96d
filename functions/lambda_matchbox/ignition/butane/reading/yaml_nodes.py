"""The first document of a YAML text as nodes with positions, and gopkg.in/yaml.v3's syntax errors."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from lambda_matchbox.ignition.butane.report import ButaneError, Position
from lambda_matchbox.ignition.yaml import MAX_DEPTH, events

if TYPE_CHECKING:
    import yaml

# To compose so many takes about half a second and 20 MB.
_MAX_NODES = 100_000
_ESCAPED_SLASH = r'[^"]*+"(?:[^"\\]|\\[^/])*+\\/'
_LINE_BREAKS = "\r\n|[\r\n\x85\u2028\u2029]"


class Scalar(NamedTuple):
    """A scalar with its explicit tag, if any; `plain` if it is neither quoted nor a block."""

    position: Position
    value: str
    tag: str
    plain: bool


class Sequence(NamedTuple):
    """A list with its explicit tag, if any."""

    position: Position
    items: "list[Node]"
    tag: str = ""


class Mapping(NamedTuple):
    """A mapping, with repeated keys, and its explicit tag, if any."""

    position: Position
    pairs: "list[tuple[Node, Node]]"
    tag: str = ""


class Alias(NamedTuple):
    """An alias and its target, which may contain it."""

    position: Position
    name: str
    target: "Node"


Node = Scalar | Sequence | Mapping | Alias


def written_key(key: Node) -> str:
    """The text of a key: of an alias its name, and empty for a list or a mapping."""
    return key.value if isinstance(key, Scalar) else key.name if isinstance(key, Alias) else ""


def first_document(text: bytes) -> Node | None:
    """The top of the first document of `text`, if any. The rest is not read.

    Raises:
        ButaneError: it is not YAML, or has too many nodes.
    """
    import yaml

    source = text.decode("utf-8", "replace").removeprefix("\ufeff")
    found = events(text)
    try:
        for event in found:
            if isinstance(event, yaml.DocumentStartEvent):
                return _composed(found, source)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error) from None
    except yaml.reader.ReaderError as error:
        reason = error.reason if "#" not in error.reason else "control characters are not allowed"
        raise _syntax(reason) from None
    except yaml.YAMLError:
        raise _syntax("it does not parse") from None
    return None


def _composed(found: "Iterator[yaml.Event]", source: str) -> Node:
    import yaml

    anchors: dict[str, Node] = {}
    top: list[Node] = []
    # The open collections with their members so far.
    stack: list[tuple[Node | None, list[Node]]] = [(None, top)]
    count = 0
    for event in found:
        if isinstance(event, yaml.CollectionEndEvent):
            closed, of_closed = stack.pop()
            if isinstance(closed, Mapping):
                closed.pairs.extend(zip(of_closed[::2], of_closed[1::2], strict=True))
        elif isinstance(event, yaml.NodeEvent):
            node, members = _node(event, anchors, source)
            count += 1
            if count > _MAX_NODES:
                raise ButaneError(f"it takes too long: more than {_MAX_NODES} values, keys, lists and mappings")
            stack[-1][1].append(node)
            if members is not None:
                stack.append((node, members))
            if len(stack) > MAX_DEPTH:
                raise _syntax(f"exceeded max depth of {MAX_DEPTH}", node.position.line)
        if len(stack) == 1:
            break
    return top[0]


def _node(event: "yaml.NodeEvent", anchors: dict[str, Node], source: str) -> tuple[Node, list[Node] | None]:
    """The node that an event begins, and the list for its members, if it has any."""
    import yaml

    mark = event.start_mark
    position = Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
    members: list[Node] | None = None
    tag: str = getattr(event, "tag", None) or ""
    node: Node
    if isinstance(event, yaml.AliasEvent):
        if event.anchor not in anchors:
            raise _syntax(f"unknown anchor '{event.anchor}' referenced", masked="unknown anchor referenced")
        return Alias(position, event.anchor, anchors[event.anchor]), None
    if isinstance(event, yaml.ScalarEvent):
        if event.style == '"' and "/" in event.value:
            _refuse_escaped_slash(event, source)
        node = Scalar(position, event.value, tag, not event.style)
    elif isinstance(event, yaml.SequenceStartEvent):
        members = []
        node = Sequence(position, members, tag)
    else:
        members = []
        node = Mapping(position, [], tag)
    if event.anchor is not None:
        anchors[event.anchor] = node
    return node, members


def _refuse_escaped_slash(event: "yaml.ScalarEvent", source: str) -> None:
    """Refuse JSON's `\\/`, which libyaml accepts and yaml.v3 does not."""
    start, end = event.start_mark, event.end_mark
    found = re.compile(_ESCAPED_SLASH, re.DOTALL).match(source, start.index, end.index) if start and end else None
    if found and start:
        breaks = len(re.findall(_LINE_BREAKS, found[0]))
        line = start.line or start.line + breaks
        raise _syntax("found unknown escape character", line + 1 if line else None)


def _syntax_error(error: "yaml.MarkedYAMLError") -> ButaneError:
    """The error with the line that Go's parser would name, which may be off by one."""
    import yaml

    marks = [mark.line for mark in (error.context_mark, error.problem_mark) if mark is not None and mark.line]
    line = marks[0] + isinstance(error, yaml.scanner.ScannerError) if marks else None
    return _syntax(error.problem or "unknown problem parsing YAML content", line)


def _syntax(reason: str, line: int | None = None, *, masked: str = "") -> ButaneError:
    where = "" if line is None else f"line {line}: "
    hidden = f"it is not YAML: {where}{masked or reason}"
    return ButaneError(f"Error unmarshaling yaml: yaml: {where}{reason}", masked=(hidden,))
