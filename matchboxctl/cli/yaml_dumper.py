"""Values as YAML. PyYAML takes long to import, and few commands write it."""

import re

import yaml

from matchboxctl.cli.output import UNSEEN

_NO_LIMIT = 1 << 30


def dump(value: object) -> str:
    """The value as YAML that means the same in every version."""
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=_NO_LIMIT)


class _Dumper(yaml.SafeDumper):
    """Quotes strings that some version of YAML reads as another type."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        """Write every value in full."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """Indent lists below their keys."""
        super().increase_indent(flow, False)  # noqa: FBT003


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if UNSEEN.search(text) or "\r" in text:
        style = '"'
    elif "\n" in text:
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)
# Numbers of YAML 1.2; PyYAML knows those of 1.1.
_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z"),
    list("-+.0123456789"),
)
_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"[-+]?(?:0o[0-7]+|0x[0-9a-fA-F]+|[0-9]+)\Z"), list("-+0123456789")
)
