"""Documents for programs: JSON and YAML, whole, with all digits of their numbers."""

import json
import re
from collections.abc import Callable, Mapping

import yaml

# What JSON and YAML may hold as it is, and a terminal obeys: controls beyond ASCII, and marks of direction.
_UNSEEN = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def as_json(value: object) -> str:
    """The value as JSON, with a line for each member."""
    return json_for_terminal(json.dumps(value, ensure_ascii=False, indent=2)) + "\n"


def json_for_terminal(text: str) -> str:
    """JSON that says the same, with escapes for what a terminal obeys."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def as_yaml(value: object) -> str:
    """The value as YAML that every version of it reads the same."""
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=_NEVER)


_NEVER = 1 << 30


class _Dumper(yaml.SafeDumper):
    """Puts in quotes what any version of YAML takes for something else than a text."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        """Each value is written out."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """Lists are indented below their keys."""
        super().increase_indent(flow, False)  # noqa: FBT003


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if _UNSEEN.search(text) or "\r" in text:
        style = '"'
    elif "\n" in text:
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)
# YAML 1.2's numbers, beside those of 1.1 that PyYAML knows.
_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z"),
    list("-+.0123456789"),
)
_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"[-+]?(?:0o[0-7]+|0x[0-9a-fA-F]+|[0-9]+)\Z"), list("-+0123456789")
)

OUTPUTS: Mapping[str, Callable[[object], str]] = {"json": as_json, "yaml": as_yaml}
"""What `-o` may ask for."""
