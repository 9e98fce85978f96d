"""A machine configuration of Talos as its author wrote it: YAML documents, and where in the text each value is."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

import yaml

Path: TypeAlias = tuple[str | int, ...]
"""The keys and indices that lead to a value in a document."""

_PREFIX = "tag:yaml.org,2002:"
MAP, NULL, STRING = (_PREFIX + name for name in ("map", "null", "str"))
# As Go reads them. PyYAML knows YAML 1.1, where `off` is a boolean and 0o644 a string.
_SCALARS = (
    (NULL, r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    (_PREFIX + "bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    (_PREFIX + "int", r"[-+]?(?:0o?[0-7]+|0x[0-9a-fA-F]+|0b[01]+|0|[1-9][0-9]*)", list("-+0123456789")),
    (
        _PREFIX + "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?",
        list("-+.0123456789"),
    ),
)
_UNDEFINED_TAG = "a tag is not defined: put a value that begins with '!' in quotes"


class ConfigError(ValueError):
    """A text that is no configuration of Talos; the message names the line where it is known."""


class _Loader(yaml.SafeLoader):
    """Composes documents without aliases, with which two values would be one place in the text."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 (PyYAML's own way)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The next node. Refuses aliases and keys that are given twice."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not supported: write the value out", mark)
        node = super().compose_node(parent, index)
        if isinstance(node, yaml.MappingNode):
            _check_keys(node)
        return node


for _tag, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(_tag, re.compile(rf"(?:{_pattern})\Z"), _first)


def _integer(_: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    sign, digits = ("-" if node.value[:1] == "-" else ""), node.value.lstrip("+-")
    is_old_octal = len(digits) > 1 and digits.isdigit() and digits[0] == "0"
    return int(sign + digits, 8 if is_old_octal else 0)


_Loader.add_constructor(_PREFIX + "int", _integer)


def _check_keys(node: yaml.MappingNode) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.composer.ComposerError(None, None, "a key is not a text", key.start_mark)
        if key.value in seen:
            raise yaml.composer.ComposerError(None, None, f"the key {key.value!r} is given twice", key.start_mark)
        seen.add(key.value)


class Document(NamedTuple):
    """One document. `kind` is empty for the main one, and `name` for a kind of which there is one."""

    node: yaml.MappingNode
    kind: str = ""
    name: str = ""

    @property
    def title(self) -> str:
        """`VolumeConfig EPHEMERAL`; empty for the main document."""
        return f"{self.kind} {self.name}".rstrip()

    def located(self, path: Path) -> str:
        """A path in this document for people: `machine.ca.key`, or `VolumeConfig EPHEMERAL: encryption.provider`."""
        return f"{self.title}: {dotted(path)}" if self.kind else dotted(path)


class MachineConfig:
    """The documents of one text, of which one is the main one, with `machine` and `cluster`."""

    def __init__(self, text: str) -> None:
        self.text = text.removeprefix("\ufeff")
        self.documents = [_document(node) for node in documents_in(self.text)]

    @property
    def main(self) -> Document | None:
        """The document with `machine` and `cluster`."""
        return next((document for document in self.documents if not document.kind), None)

    @property
    def role(self) -> str:
        """`controlplane`, `worker`, or what else `machine.type` says; empty if there is none."""
        found = None if self.main is None else at(self.main.node, ("machine", "type"))
        return found.value if isinstance(found, yaml.ScalarNode) else ""

    def document(self, title: str) -> Document | None:
        """The document with that title."""
        return next((document for document in self.documents if document.title == title), None)


def documents_in(text: str) -> Sequence[yaml.Node]:
    """The documents of a YAML text that are not empty. Raises ConfigError, which quotes no value."""
    loader = None
    try:
        loader = _Loader(text)
        found = []
        while loader.check_node():
            node = loader.get_node()
            if node is not None and not (node.tag == NULL and not node.value):
                found.append(node)
        return found
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        # PyYAML quotes a tag, which may be the beginning of a password.
        is_tag = error.problem is not None and "undefined tag" in error.problem
        raise ConfigError(f"{line}not YAML: {_UNDEFINED_TAG if is_tag else error.problem}") from None
    except yaml.YAMLError:
        raise ConfigError("not YAML: it contains characters that YAML does not allow") from None
    except RecursionError:
        raise ConfigError("nested too deeply") from None
    finally:
        if loader is not None:
            loader.dispose()


def _document(node: yaml.Node) -> Document:
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(f"line {node.start_mark.line + 1}: a document is not a mapping")
    kind, name = (_text(node, key) for key in ("kind", "name"))
    return Document(node, kind, name if kind else "")


def _text(node: yaml.MappingNode, key: str) -> str:
    found = at(node, (key,))
    return found.value if isinstance(found, yaml.ScalarNode) and found.tag != NULL else ""


def value_of(node: yaml.Node) -> object:
    """The value of a node, with the types of JSON. Raises ConfigError."""
    constructor = _Loader("")
    try:
        return constructor.construct_document(node)
    except (yaml.YAMLError, ValueError, AttributeError):
        # The last is PyYAML's for a time that is none.
        raise ConfigError(f"line {node.start_mark.line + 1}: a value that JSON cannot represent") from None
    finally:
        constructor.dispose()


def values_in(text: str) -> list[object]:
    """The values of the documents of a YAML text. Raises ConfigError."""
    return [value_of(node) for node in documents_in(text)]


def at(node: yaml.Node | None, path: Path) -> yaml.Node | None:
    """The node at a path below another, if there is one."""
    for key in path:
        if not isinstance(node, yaml.MappingNode):
            return None
        node = next((value for name, value in node.value if name.value == key), None)
    return node


def scalars(node: yaml.Node, path: Path = ()) -> Iterator[tuple[Path, yaml.ScalarNode]]:
    """All scalars below a node, with their paths."""
    if isinstance(node, yaml.ScalarNode):
        yield path, node
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from scalars(value, (*path, key.value))
    else:
        for index, value in enumerate(node.value):
            yield from scalars(value, (*path, index))


def dotted(path: Path) -> str:
    """`machine.files[0].content`; keys with dots are quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if "." not in part else f'."{part}"'
    return text.removeprefix(".")


def end_of(node: yaml.Node, text: str) -> int:
    """The index behind the node's text, without the line breaks and comments that PyYAML counts to a block."""
    last: yaml.Node = node
    while isinstance(last, yaml.CollectionNode) and last.value and not last.flow_style:
        last = last.value[-1][1] if isinstance(last, yaml.MappingNode) else last.value[-1]
    start = last.start_mark.index
    end: int = start + len(text[start : last.end_mark.index].rstrip(" \t\r\n"))
    return end
