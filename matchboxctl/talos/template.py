"""The template of a machine configuration: its text, with references for secrets and slots for what nodes have.

Everything else stays as its author wrote it: comments, order, documents.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import yaml

from matchboxctl.talos.machine_config import NULL, ConfigError, Document, MachineConfig, Path, at, end_of, scalars
from matchboxctl.talos.secret_values import Secrets, SecretValue, action, bundle_secret, is_given, is_secret

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_END = "{{end}}"
# Of edits at one place: keys that are added to a mapping, what begins before a value, the value, what ends behind it.
_KEYS, _BEFORE, _VALUE, _BEHIND = range(4)

Located = Mapping[str, list[Path]]
"""Paths of values by the titles of their documents."""


class Slot(NamedTuple):
    """What a node may have in place of the file's own value: the action that tests for it, and that with its value."""

    begin: str
    value: str


class Edit(NamedTuple):
    """A replacement in a text; `order` is that of edits at one place."""

    start: int
    order: int
    end: int
    text: str


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The template with these edits, in which the text's own `{{` is no action."""
    pieces, done = [], 0
    for edit in sorted(edits):
        before = _escaped(text[done : edit.start])
        # `{{{` would be no action.
        gap = " " if before.endswith("{") and edit.text.startswith("{{") else ""
        pieces += [before, gap, edit.text]
        done = edit.end
    return "".join([*pieces, _escaped(text[done:])])


def line_beyond(edits: Iterable[Edit], text: str, value: str) -> int | None:
    """The first line that has a value which these edits leave in the text."""
    pieces, done = [], 0
    for edit in sorted(edits):
        pieces += [text[done : edit.start], "\0", "\n" * text.count("\n", edit.start, edit.end)]
        done = edit.end
    before, found, _ = "".join([*pieces, text[done:]]).partition(value)
    return before.count("\n") + 1 if found else None


def _escaped(text: str) -> str:
    return text.replace("{{", '{{"{{"}}')


def secret_edits(config: MachineConfig, cluster: str, secrets: Secrets, file: str) -> tuple[list[Edit], Located]:
    """The edits that put references in place of secrets, which are added to others; and the paths of the secrets.

    Raises ConfigError, whose message has no value.
    """
    edits: list[Edit] = []
    paths: dict[str, list[Path]] = {}
    for document in config.documents:
        for path, node in scalars(document.node):
            if (secret := _secret(document, path, node, secrets, file)) is not None:
                paths.setdefault(document.title, []).append(path)
                edits.append(Edit(node.start_mark.index, _VALUE, end_of(node, config.text), action(cluster, secret)))
    return edits, paths


def _secret(document: Document, path: Path, node: yaml.ScalarNode, secrets: Secrets, file: str) -> SecretValue | None:
    """The secret that a scalar is, added to others; None for one that is none."""
    where = f"{file}: line {node.start_mark.line + 1}: {document.located(path)}"
    try:
        if not document.kind and is_given(node) and (secret := bundle_secret(path, node.value)) is not None:
            secrets.add(secret, where)
            return secret
    except ValueError as error:
        raise ConfigError(f"{where} {error}") from None
    return secrets.add_other(path, document.title, node.value) if is_secret(path, node) else None


def slot_edits(document: Document, slots: Mapping[Path, Slot], text: str) -> list[Edit]:
    """The edits that put slots at paths of a document. Raises ConfigError if that cannot be."""
    for path in slots:
        if any(path == other[: len(path)] for other in slots if other != path):
            where = document.located(path)
            raise ConfigError(f"{where}: nodes have both a value for it and values below it; write them alike")
    return list(_below(document, document.node, (), slots, text))


def pair_edits(node: yaml.MappingNode, key: str, given: str, text: str) -> list[Edit]:
    """The edits that put what is given in place of a key with its value."""
    name, value = next((name, value) for name, value in node.value if name.value == key)
    start, end = name.start_mark.index, end_of(value, text)
    return [Edit(start, _BEFORE, start, f"{given}{{{{else}}}}"), Edit(end, _BEHIND, end, _END)]


def _below(
    document: Document, node: yaml.MappingNode, above: Path, slots: Mapping[Path, Slot], text: str
) -> Iterator[Edit]:
    start = node.start_mark.index
    separator = ", " if node.flow_style else "\n" + " " * node.start_mark.column
    added = ""
    for key, inner in _by_key(slots).items():
        path = (*above, key)
        found = at(node, (key,))
        if found is None:
            added += _pair(key, inner, separator)
        elif () in inner:
            begin, end = found.start_mark.index, end_of(found, text)
            # What takes the place of a block has to be indented deeper than the key of its mapping, and what takes that
            # of nothing must not touch the key.
            gap = " " if begin == end or (isinstance(found, yaml.CollectionNode) and not found.flow_style) else ""
            yield Edit(begin, _BEFORE, begin, f"{inner[()].begin}{gap}{inner[()].value}{{{{else}}}}")
            yield Edit(end, _BEHIND, end, _END)
        elif isinstance(found, yaml.MappingNode):
            yield from _below(document, found, path, inner, text)
        elif found.tag == NULL:
            yield Edit(found.start_mark.index, _VALUE, end_of(found, text), f" {_flow(inner)}")
        else:
            raise ConfigError(f"{document.located(path)} is not a mapping, but nodes have values below it")
    if added:
        place = start + 1 if node.flow_style else start
        yield Edit(place, _KEYS, place, f" {added}" if node.flow_style else added)


def _by_key(slots: Mapping[Path, Slot]) -> dict[str, dict[Path, Slot]]:
    found: dict[str, dict[Path, Slot]] = {}
    for (key, *rest), slot in slots.items():
        found.setdefault(str(key), {})[tuple(rest)] = slot
    return found


def _pair(key: str, slots: Mapping[Path, Slot], separator: str) -> str:
    """A key that the file does not have, with what ends it."""
    written = key if _PLAIN_KEY.fullmatch(key) else _escaped(json.dumps(key))
    if () in slots:
        slot = slots[()]
        return f"{slot.begin}{written}: {slot.value}{separator}{_END}"
    return f"{written}: {_flow(slots)}{separator}"


def _flow(slots: Mapping[Path, Slot]) -> str:
    """A mapping of keys that the file does not have."""
    # The spaces keep its braces apart from those of actions.
    return "{ " + "".join(_pair(key, inner, ", ") for key, inner in _by_key(slots).items()) + "}"
