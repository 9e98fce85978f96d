"""YAML files of groups and profiles, as JSON that has each value on the line of the YAML.

Plain scalars mean what they mean in JSON, as in YAML 1.2's JSON schema: `yes`, `0123`, `1e` and 52:54:00:12:34:56 are
strings. In YAML 1.1 a MAC address of digits alone is a number.
"""

import json
import re
from collections.abc import Iterator

import yaml

_JSON_SCALARS = (
    ("null", r"~|null|", ["~", "n", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"-?(?:0|[1-9][0-9]*)", list("-0123456789")),
    ("float", r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", list("-0123456789")),
)
_MAP, _SEQUENCE, _NULL = (f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "null"))


class YamlFileError(ValueError):
    """A text that is not YAML, or that JSON cannot represent; the message names the line if it is known."""


class _Loader(yaml.SafeLoader):
    """Strings, numbers, true, false, null, sequences and mappings; no aliases."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 (PyYAML's own way)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The next node. Refuses aliases, with which a small text can describe a large value."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not supported", mark)
        return super().compose_node(parent, index)


for _tag, _pattern, _first in _JSON_SCALARS:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), _first)


def _number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> object:
    return float(loader.construct_scalar(node))


_Loader.add_constructor("tag:yaml.org,2002:float", _number)


def json_of_yaml(body: bytes) -> list[bytes]:
    """The JSON of each document, and of each element of a document that is a sequence. Raises YamlFileError."""
    try:
        loader = _Loader(body.decode())
        try:
            if not loader.check_node():
                return [b"null"]
            return [_Json(loader, node).text.encode() for node in _documents(loader)]
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise YamlFileError(f"{line}neither JSON nor YAML: {error.problem}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise YamlFileError("neither JSON nor YAML: it contains characters that YAML does not allow") from error
    except RecursionError as error:
        raise YamlFileError("nested too deeply") from error


def _documents(loader: _Loader) -> Iterator[yaml.Node]:
    while loader.check_node():
        node = loader.get_node()
        if isinstance(node, yaml.SequenceNode) and node.tag == _SEQUENCE:
            yield from node.value
        # Nothing between two `---`.
        elif node is not None and not (node.tag == _NULL and not node.value):
            yield node


class _Json:
    """The JSON text of a node, with each value on its line in the file."""

    def __init__(self, loader: _Loader, node: yaml.Node) -> None:
        self._loader = loader
        self._pieces: list[str] = []
        self._line = 0
        self._add(node)

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def _add(self, node: yaml.Node) -> None:
        if isinstance(node, yaml.MappingNode) and node.tag == _MAP:
            self._put(node, "{")
            for number, (key, value) in enumerate(node.value):
                self._put(key, f"{',' if number else ''}{self._key(key)}:")
                self._add(value)
            self._pieces.append("}")
        elif isinstance(node, yaml.SequenceNode) and node.tag == _SEQUENCE:
            self._put(node, "[")
            for number, value in enumerate(node.value):
                self._pieces.append("," if number else "")
                self._add(value)
            self._pieces.append("]")
        else:
            self._put(node, self._scalar(node))

    def _put(self, node: yaml.Node, text: str) -> None:
        self._pieces.append("\n" * (node.start_mark.line - self._line) + text)
        self._line = node.start_mark.line

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key is not a scalar", node.start_mark)
        text = self._scalar(node)
        return text if text.startswith('"') else json.dumps(text)

    def _scalar(self, node: yaml.Node) -> str:
        try:
            return json.dumps(self._loader.construct_object(node, deep=True), allow_nan=False)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            # Some are PyYAML's, for a value that is not of the type of its tag, such as `!!bool maybe`.
            raise YamlFileError(f"line {node.start_mark.line + 1}: JSON cannot represent this value") from error
