"""YAML that operators write for a group or a profile, as the JSON that it means.

Plain words mean what they mean in JSON: `yes`, `0123`, `1e` and 52:54:00:12:34:56 are texts, as YAML 1.2's JSON schema
has it; under YAML 1.1 an address of digits alone would be a number.
"""

import json
import re

import yaml

_JSON_WORDS = (
    ("null", r"~|null|", ["~", "n", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"-?(?:0|[1-9][0-9]*)", list("-0123456789")),
    ("float", r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", list("-0123456789")),
)


class YamlFileError(ValueError):
    """A text that is no YAML, or more than JSON can say."""


class _Loader(yaml.SafeLoader):
    """Texts, numbers, true, false, null, lists and mappings; each written out."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 (PyYAML's own way)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """A node of the text; an alias could make a small text large."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not taken: write it out", mark)
        return super().compose_node(parent, index)


for _tag, _pattern, _first in _JSON_WORDS:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), _first)


def _number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> object:
    return float(loader.construct_scalar(node))


_Loader.add_constructor("tag:yaml.org,2002:float", _number)


def json_of_yaml(body: bytes) -> bytes:
    """The JSON that the YAML means. Raises YamlFileError, which names the line."""
    try:
        value = yaml.load(body.decode(), _Loader)  # noqa: S506 (a SafeLoader)
        return json.dumps(value, allow_nan=False).encode()
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        if error.context == "expected a single document in the stream":
            raise YamlFileError(f"{line}a second document begins: give each a file of its own") from error
        raise YamlFileError(f"{line}neither JSON nor YAML: {error.problem}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise YamlFileError("neither JSON nor YAML: it has a character that YAML does not allow") from error
    except RecursionError as error:
        raise YamlFileError("it is nested too deeply") from error
    except (TypeError, ValueError) as error:
        raise YamlFileError(f"JSON cannot say what it holds: {error}") from error
    except (AttributeError, LookupError) as error:
        # What PyYAML makes of `!!bool maybe`, `!!int ""` and `!!timestamp x`.
        raise YamlFileError("a value in it is not of the type of its tag") from error
