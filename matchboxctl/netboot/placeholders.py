"""Placeholders that nothing replaces, such as `<cluster-join-token>`, in the values of configurations.

Programs and texts within configurations use `<…>` and `${…}` themselves: there only an assignment of a placeholder,
such as `TOKEN=<token>`, counts, and `CHANGEME` and the like as a word of its own, unless a command looks for it.
"""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from matchboxctl.netboot.data_urls import text_of

if TYPE_CHECKING:
    import yaml


class Placeholder(NamedTuple):
    """A placeholder as written, and where: `line 6`, or a path such as `$.passwd.users.0.name`."""

    text: str
    where: str

    def __str__(self) -> str:
        return f"{self.text} ({self.where})"


_MAX_SHOWN = 60
_TAGS = re.compile(
    r"</?(?:a|b|body|br|code|d[dlt]|div|em|h[1-6r]|head|html|i|img|li|link|meta|ol|p|pre|script|span|strong|style"
    r"|table|tbody|t[dhrt]|title|ul)>",
    re.IGNORECASE,
)
_WORD = (
    r"(?:CHANGE|REPLACE)[-_]?ME(?![A-Za-z])|\b(?:change|replace)[-_]?me\b"
    r"|(?<![A-Za-z0-9])YOUR[-_][A-Z][A-Z0-9]*(?:[-_][A-Z0-9]+)*(?![A-Za-z0-9])"
)
_NAMED = r"<[A-Za-z][\w.-]*(?: [\w.-]+){0,5}>"
_WHOLE = re.compile(_NAMED)
_VALUE = re.compile(rf"{_NAMED}|{_WORD}")
_ANYWHERE = re.compile(rf"<no value>|{_WORD}")
# A name of several words: `<file>` within a command would be a redirection.
_INSIDE = re.compile(r"<[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)+>")
_IN_ADDRESS = re.compile(r"<[A-Za-z][\w-]*>")
_VARIABLE = re.compile(r"\$\{[A-Za-z_][\w.:/-]*\}|\{\{[^{}]*\}\}")
_ASSIGNMENT = re.compile(
    rf"""\s*(?:-\s+)?(?:export\s+)?["']?[\w.-]+["']?\s*(?P<by>[:=])\s*["']?(?:\w+=)?["']?(?P<value>{_NAMED}|{_WORD})["']?[;,]?\s*"""
)
_ALONE = re.compile(rf"""(?<![^\s"'=:])(?:{_WORD})(?![^\s"',;)])""")
_LOOKS_FOR = re.compile(r"\[|\b(?:awk|case|grep|sed|test)\b")
_NO_VALUE = "<no value>"
_KICKSTART_WORD = re.compile(r"(?<![^\s=\"'/])<[A-Za-z][\w-]*>(?![^\s\"':/])")

# Under these keys are commands and files, in the formats that machines read.
_PROGRAM_KEYS = re.compile(
    r"args|bootcmd|cmd|commands?|contents?|data|env|environment|exec|inline|manifest|runcmd|scripts?|stringdata",
    re.IGNORECASE,
)


def in_value(value: str, *, has_braces: bool = True) -> list[str]:
    """The placeholders in a value of one line; `{{…}}` and `${…}` count with `has_braces`."""
    text = value.strip()
    if _WHOLE.fullmatch(text):
        return [] if _TAGS.fullmatch(text) else [text]
    found = _ANYWHERE.findall(text)
    if "</" not in text:
        found += (_IN_ADDRESS if "://" in text else _INSIDE).findall(text)
    if has_braces:
        found += _VARIABLE.findall(text)
    return [one[:_MAX_SHOWN] for one in dict.fromkeys(found)]


def in_program(text: str) -> list[tuple[str, int]]:
    """The placeholders that a script or another text assigns, each with its line, from 1; or the text if it is one."""
    whole = text.strip()
    if _VALUE.fullmatch(whole):
        return [] if _TAGS.fullmatch(whole) else [(whole, 1)]
    lines = enumerate(text.splitlines(), 1)
    return [(found, number) for number, line in lines if (found := _assigned(line))]


def _assigned(line: str, by: str = ":=") -> str:
    """The placeholder that a line assigns by one of these characters, or has as a word; empty if it has none."""
    if _NO_VALUE in line:
        return _NO_VALUE
    found = _ASSIGNMENT.fullmatch(line)
    if found is None:
        word = None if line.lstrip().startswith("#") or _LOOKS_FOR.search(line) else _ALONE.search(line)
        return word[0] if word else ""
    return "" if found["by"] not in by or _TAGS.fullmatch(found["value"]) else found["value"]


def in_text(text: str) -> list[Placeholder]:
    """The placeholders of a text of no known kind."""
    return [Placeholder(found, f"line {line}") for found, line in in_program(text)]


def in_script(text: str) -> list[Placeholder]:
    """The placeholders of a script, which assigns by `=`; after a colon they belong to its help text."""
    lines = enumerate(text.splitlines(), 1)
    return [Placeholder(found, f"line {number}") for number, line in lines if (found := _assigned(line, by="="))]


def in_kickstart(text: str) -> list[Placeholder]:
    """The placeholders of a kickstart file; its sections are programs and lists."""
    found: list[Placeholder] = []
    in_section = False
    for number, line in enumerate(text.splitlines(), 1):
        words: list[str] = []
        if line.startswith("%"):
            in_section = not line.startswith("%end")
        elif in_section:
            words = [_assigned(line)]
        elif not line.lstrip().startswith("#"):
            words = _ANYWHERE.findall(line) + _KICKSTART_WORD.findall(line)
        found += [Placeholder(word, f"line {number}") for word in dict.fromkeys(words) if word]
    return found


def in_nodes(documents: Sequence["yaml.Node"], *, has_braces: bool = True) -> list[Placeholder]:
    """The placeholders in the values of YAML documents; comments and keys have none."""
    found = [
        one for document in documents for one in _in_node(document, set(), has_braces=has_braces, is_program=False)
    ]
    return list(dict.fromkeys(found))


def _in_node(node: "yaml.Node", seen: set[int], *, has_braces: bool, is_program: bool) -> Iterator[Placeholder]:
    import yaml

    if id(node) in seen:
        return
    seen.add(id(node))
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if has_braces and (name := _unquoted(key)):
                yield Placeholder(f"{{{{{name}}}}}"[:_MAX_SHOWN], f"line {line}")
                return
            inside = is_program or (isinstance(key, yaml.ScalarNode) and bool(_PROGRAM_KEYS.fullmatch(key.value)))
            yield from _in_node(value, seen, has_braces=has_braces, is_program=inside)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _in_node(value, seen, has_braces=has_braces, is_program=is_program)
    elif isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        yield from (Placeholder(text, f"line {line + at}") for text, at in in_program(node.value))
    else:
        found = _found(node.value, has_braces=has_braces, is_program=is_program)
        yield from (Placeholder(text, f"line {line}") for text in found)


def _unquoted(key: "yaml.Node") -> str:
    """The `.token` of `{{.token}}` without quotes, a mapping whose key is a mapping; empty for any other key."""
    import yaml

    if not isinstance(key, yaml.MappingNode) or len(key.value) != 1:
        return ""
    name, value = key.value[0]
    return str(name.value) if isinstance(name, yaml.ScalarNode) and value.value == "" else ""


def _found(value: str, *, has_braces: bool, is_program: bool) -> list[str]:
    if is_program or "\n" in value:
        return [text for text, _ in in_program(value)]
    return in_value(value, has_braces=has_braces)


def in_json(config: object) -> list[Placeholder]:
    """The placeholders in JSON, such as an Ignition config; those in the files that it holds too."""
    return list(dict.fromkeys(_in_json(config, "$", is_program=False)))


def _in_json(value: object, path: str, *, is_program: bool) -> Iterator[Placeholder]:
    if isinstance(value, dict):
        is_packed = value.get("compression") == "gzip"
        for key, member in value.items():
            inside = is_program or bool(_PROGRAM_KEYS.fullmatch(key))
            if key == "source" and isinstance(member, str):
                inside = member.startswith("data:")
                member = text_of(member, is_packed=is_packed) if inside else member
            yield from _in_json(member, f"{path}.{key}", is_program=inside)
    elif isinstance(value, list):
        for at, member in enumerate(value):
            yield from _in_json(member, f"{path}.{at}", is_program=is_program)
    elif isinstance(value, str):
        yield from (Placeholder(text, path) for text in _found(value, has_braces=True, is_program=is_program))
