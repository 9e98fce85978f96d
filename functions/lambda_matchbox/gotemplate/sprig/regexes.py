"""Regular expressions by RE2, which like Go's package takes time linear in the text.

RE2 is loaded at the first call.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from lambda_matchbox.golang.chunks import joined, made_of
from lambda_matchbox.golang.values import NilStringList, StringList
from lambda_matchbox.gotemplate.errors import FunctionError
from lambda_matchbox.gotemplate.limits import Limits

if TYPE_CHECKING:
    import re2

_MAX_PATTERN = 10_000
_MAX_MEMORY = 2 * 1024 * 1024
# RE2 itself caches 128, each with up to the memory above.
_MAX_KEPT = 16
_PATTERN_WORK = 50
_MATCH_WORK = 30
# For each part of a replacement template, once and in each match.
_PART_WORK = 20
_kept: set[str] = set()
_META = str.maketrans({character: f"\\{character}" for character in r"\.+*?()|[]{}^$"})
_REFERENCE = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})")


class _PatternError(FunctionError):
    """An invalid regular expression."""


def _compiled(limits: Limits, pattern: str) -> Any:
    if len(pattern) > _MAX_PATTERN:
        raise FunctionError(f"the regular expression has more than {_MAX_PATTERN} characters")
    limits.take_work(_PATTERN_WORK * len(pattern))
    import re2

    if len(_kept) >= _MAX_KEPT and pattern not in _kept:
        re2.purge()
        _kept.clear()
    _kept.add(pattern)
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    try:
        return re2.compile(pattern, options)
    except re2.error:
        raise _PatternError("the regular expression does not parse, or is too large") from None


def _matches(limits: Limits, pattern: str, text: str, most: int = -1) -> "Iterator[re2._Match]":
    """The matches from left to right, without an empty one right behind another."""
    compiled = _compiled(limits, pattern)
    size = compiled.programsize
    end = -1
    count = 0
    position = 0
    found = compiled.finditer(text)
    while most < 0 or count < most:
        # Each search may run all instructions over the rest of the text.
        limits.take_regex_work((len(text) - position + 1) * size)
        limits.take_work(_MATCH_WORK)
        match = next(found, None)
        if match is None:
            return
        position = match.end()
        if match.start() == match.end() == end:
            continue
        end = match.end()
        count += 1
        yield match


def _match(limits: Limits, pattern: str, text: str) -> bool:
    return next(_matches(limits, pattern, text, 1), None) is not None


def _quiet_match(limits: Limits, pattern: str, text: str) -> bool:
    try:
        return _match(limits, pattern, text)
    except _PatternError:
        return False


def _find(limits: Limits, pattern: str, text: str) -> str:
    match = next(_matches(limits, pattern, text, 1), None)
    return "" if match is None else match.group()


def _find_all(limits: Limits, pattern: str, text: str, most: int) -> StringList:
    found = StringList()
    for match in _matches(limits, pattern, text, most):
        found.append(match.group())
        limits.check_elements(len(found))
    return found or NilStringList()


def _replaced(limits: Limits, pattern: str, text: str, replacement: Callable[["re2._Match"], Iterable[str]]) -> str:
    def pieces() -> Iterator[str]:
        end = 0
        for match in _matches(limits, pattern, text):
            yield text[end : match.start()]
            yield from replacement(match)
            end = match.end()
        yield text[end:]

    return joined(pieces(), limits.check_text)


def _replace(limits: Limits, pattern: str, text: str, template: str) -> str:
    parts = _template_parts(limits, template)

    def replacement(match: "re2._Match") -> Iterator[str]:
        # A long template may be used for a million matches.
        limits.take_work(_PART_WORK * len(parts))
        return (_expanded(part, match) for part in parts)

    return _replaced(limits, pattern, text, replacement)


def _template_parts(limits: Limits, template: str) -> list[str | tuple[str]]:
    """Texts, and the names of groups in tuples: `$1`, `$name`, `${name}`; `$$` is a `$`."""
    parts: list[str | tuple[str]] = []
    end = 0
    for found in _REFERENCE.finditer(template):
        limits.take_work(_PART_WORK)
        parts.append(template[end : found.start()])
        name = found[1] or found[2]
        parts.append((name,) if name else "$")
        end = found.end()
    return [*parts, template[end:]]


def _expanded(part: str | tuple[str], match: "re2._Match") -> str:
    if isinstance(part, str):
        return part
    name = part[0]
    groups = match.re
    if name.isascii() and name.isdigit():
        index = int(name) if len(name) < 9 else groups.groups + 1
    else:
        index = groups.groupindex.get(name, groups.groups + 1)
    return "" if index > groups.groups else match.group(index) or ""


def _replace_literally(limits: Limits, pattern: str, text: str, replacement: str) -> str:
    return _replaced(limits, pattern, text, lambda _: (replacement,))


def _split(limits: Limits, pattern: str, text: str, most: int) -> StringList:
    _compiled(limits, pattern)
    if most == 0:
        return NilStringList()
    if pattern and not text:
        return StringList([""])
    pieces = StringList()
    start = end = 0
    for match in _matches(limits, pattern, text):
        if 0 < most == len(pieces) + 1:
            break
        end = match.start()
        if match.end() != 0:
            pieces.append(text[start:end])
            limits.check_elements(len(pieces))
        start = match.end()
    if end != len(text):
        pieces.append(text[start:])
    return pieces


def _quoted(limits: Limits, text: str) -> str:
    return joined(made_of(text, lambda part: part.translate(_META)), limits.check_text)


_WITH_MUST: dict[str, Callable[..., object]] = {
    "RegexFind": _find,
    "RegexFindAll": _find_all,
    "RegexReplaceAll": _replace,
    "RegexReplaceAllLiteral": _replace_literally,
    "RegexSplit": _split,
}
PLAIN: dict[str, Callable[..., object]] = {}
BOUNDED: dict[str, Callable[..., object]] = {
    **{"r" + name[1:]: function for name, function in _WITH_MUST.items()},
    **{"must" + name: function for name, function in _WITH_MUST.items()},
    "mustRegexMatch": _match,
    "regexMatch": _quiet_match,
    "regexQuoteMeta": _quoted,
}
