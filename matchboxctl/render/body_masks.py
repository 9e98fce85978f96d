"""Masks in a body for values under keys that name a secret, wherever the values come from.

A body that is YAML or JSON is masked value by value, with the files and scripts that it holds; in any other text
`key: value`, `key=value`, `--key value` and passwords in URLs count, line by line. Certificates and public keys are no
secrets.
"""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

import yaml

from matchboxctl.netboot.data_urls import text_of
from matchboxctl.render.secret_masks import MASK

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SECRET = re.compile(r"passw|passphrase|secret|token|credential|private|bearer|kubeconfig|keys?\b|\b(?:psk|auth)\b")
_PUBLIC = re.compile(r"\b(?:crt|certs?|certificates?)$|\bpublic\b|\bauthorized\b")
_USERS = "passwd"
_PRIVATE_KEY = "PRIVATE KEY-----"
_UNMASKED_TAGS = ("tag:yaml.org,2002:null", "tag:yaml.org,2002:bool")
_NAME = r"[A-Za-z_][\w.-]*"
# A variable is none: what it holds is not in the text.
_VALUE = r"""(?!\$|\{\{|[|>][-+0-9]*\s*$)("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s"'&,;}\]]+)"""
_ASSIGNMENT = re.compile(rf"""(?<![\w.$])({_NAME})(["']?[ \t]*[:=][ \t]*){_VALUE}""", re.MULTILINE)
_FLAG = re.compile(rf"(--)({_NAME})([ \t]+){_VALUE}")
_BLOCK = re.compile(rf"""^(?P<indent>[ \t]*)(?:- )?["']?(?P<name>{_NAME})["']?:[ \t]*[|>][-+0-9]*[ \t]*$""")
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
_PASSWORD_IN_URL = re.compile(r"""(?<=://)([^\s/:@"']*:)(?!\$|\{\{)[^\s/@"']+(?=@)""")
_COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
_PEM = re.compile(rf"-----BEGIN [A-Z ]*{_PRIVATE_KEY}(?:(?!-----).)*(?:-----END [A-Z ]*-----)?", re.DOTALL)
# Half of a pair says nothing, and stops the parser.
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


class _Span(NamedTuple):
    """What to put in place of a part of the body; an alias may lead to it twice, and the whole value counts."""

    start: int
    end: int
    is_partly_shown: bool
    text: str


def masked_body(body: str) -> str:
    """The body with `***` in place of such values."""
    try:
        documents = list(yaml.compose_all(_for_parser(body), Loader=_LOADER))
        spans = {span for document in documents for span in _spans(body, document, set(), hidden=False)}
    except (yaml.YAMLError, RecursionError, UnicodeError):
        return _masked_text(body)
    pieces: list[str] = []
    done = 0
    for span in sorted(spans):
        if span.start < done:
            continue
        pieces += (body[done : span.start], span.text)
        done = span.end
    return _COMMENT.sub(lambda found: _masked_text(found[0]), "".join([*pieces, body[done:]]))


def _for_parser(body: str) -> str:
    """A text of the same length in which the parser finds everything at the same place."""
    text = _UNPRINTABLE.sub("?", _SURROGATE.sub(r"\\u0041", body))
    return text.replace("\t", " ") if body.lstrip().startswith(("{", "[")) else text


def _is_secret(key: str) -> bool:
    words = " ".join(_WORDS.findall(key)).lower()
    return bool(_SECRET.search(words) or _SECRET.search(key.lower())) and not _is_public(key)


def _is_public(key: str) -> bool:
    return bool(_PUBLIC.search(" ".join(_WORDS.findall(key)).lower()))


def _spans(body: str, node: yaml.Node | None, seen: set[tuple[int, bool]], *, hidden: bool) -> Iterator[_Span]:
    """What to replace, with what."""
    if (id(node), hidden) in seen:
        # It has several aliases.
        return
    seen.add((id(node), hidden))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            # Ignition's section of users.
            is_section = name == _USERS and isinstance(value, yaml.MappingNode)
            below = (hidden or (_is_secret(name) and not is_section)) and not _is_public(name)
            yield from _spans(body, value, seen, hidden=below)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _spans(body, value, seen, hidden=hidden)
    elif isinstance(node, yaml.ScalarNode) and node.value and node.tag not in _UNMASKED_TAGS:
        start, end = node.start_mark.index, node.end_mark.index
        raw = body[start:end]
        if (masked := _masked_scalar(raw, node, hidden=hidden)) != raw:
            yield _Span(start, end, not hidden, masked)


def _masked_scalar(raw: str, node: yaml.ScalarNode, *, hidden: bool) -> str:
    """The value as it is written, masked."""
    value = node.value
    start = _PROPERTIES.match(raw)[0]  # type: ignore[index]
    quote = node.style if node.style in ("'", '"') else ""
    ending = raw[len(raw.rstrip()) :]
    if hidden or (_PRIVATE_KEY in value and node.style != "|"):
        return f"{start}{quote}{MASK}{quote}{ending}"
    if value.startswith("data:"):
        text = text_of(value, is_packed=";base64,H4sI" in value)
        return f"{start}{quote}data:,{MASK}{quote}{ending}" if masked_body(text) != text else raw
    if node.style == '"' and "\\" in raw:
        masked = masked_body(value)
        return raw if masked == value else start + json.dumps(masked, ensure_ascii=False) + ending
    return _masked_text(raw)


def _masked_text(text: str) -> str:
    """A text of any kind, such as a script, masked line by line."""

    def flag(found: re.Match[str]) -> str:
        dashes, name, by, value = found.groups()
        return dashes + name + by + _masked_word(value) if _is_secret(name) else found[0]

    text = _PASSWORD_IN_URL.sub(rf"\1{MASK}", _without_blocks(_PEM.sub(MASK, text)))
    return _FLAG.sub(flag, _without_assigned(text))


def _without_assigned(text: str) -> str:
    """The text with masks for what is assigned to names of secrets, also within another value, such as a URL."""
    pieces: list[str] = []
    done = at = 0
    while found := _ASSIGNMENT.search(text, at):
        at = found.end(2)
        if _is_secret(found[1]):
            pieces += (text[done:at], _masked_word(found[3]))
            done = at = found.end()
    return "".join([*pieces, text[done:]])


def _masked_word(word: str) -> str:
    quote = word[0] if word[0] in "\"'" else ""
    return f"{quote}{MASK}{quote}"


def _without_blocks(text: str) -> str:
    """The text without the lines below `key: |`."""
    lines: list[str] = []
    hidden_below = -1
    for line in text.splitlines(keepends=True):
        indent = len(line) - len(line.lstrip())
        if hidden_below >= 0 and (not line.strip() or indent > hidden_below):
            continue
        hidden_below = -1
        lines.append(line)
        found = _BLOCK.match(line)
        if found and _is_secret(found["name"]):
            hidden_below = len(found["indent"])
            lines.append(f"{found['indent']}  {MASK}\n")
    return "".join(lines)


_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
