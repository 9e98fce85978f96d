"""Semantic versions and conditions on them, by the rules of Masterminds/semver 3.3."""

from collections.abc import Callable
from typing import NamedTuple

import re2

from lambda_matchbox.golang.values import GoObject, Uint64
from lambda_matchbox.gotemplate.errors import FunctionError

_MAX_LENGTH = 1000
_MAX_NUMBER = (1 << 64) - 1
_EXTRAS = r"(-([0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*))?(\+([0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*))?"
# RE2, as in Go: Python's re could backtrack endlessly.
_VERSION = re2.compile(r"v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?" + _EXTRAS)
_PLACE = r"[0-9|xX*]+"
_PATTERN = rf"v?({_PLACE})(\.{_PLACE})?(\.{_PLACE})?" + _EXTRAS
_OPERATOR = r"=||!=|>|<|>=|=>|<=|=<|~|~>|\^"
_CONDITION = re2.compile(rf"\s*({_OPERATOR})\s*({_PATTERN})\s*")
_FIND = re2.compile(rf"(?:{_OPERATOR})\s*(?:{_PATTERN})")
_VALID = re2.compile(rf"(?:\s*(?:{_OPERATOR})\s*(?:{_PATTERN})\s*)(?:(?:\s+|,\s*)(?:{_OPERATOR})\s*(?:{_PATTERN})\s*)*")
_RANGE = re2.compile(rf"\s*({_PATTERN})\s+-\s+({_PATTERN})\s*")
_SECOND_OF_RANGE = 9


class Version(GoObject):
    """Go's *semver.Version, of which templates use Major, Minor, Patch, Prerelease, Metadata, Original and String."""

    kind = "ptr"
    name = "*semver.Version"

    def __init__(self, original: str, numbers: tuple[int, int, int], prerelease: str, metadata: str) -> None:
        self.numbers = numbers
        self.prerelease = prerelease
        self._metadata = metadata
        self._original = original

    def text(self) -> str:
        """The full version without the `v`."""
        text = ".".join(map(str, self.numbers))
        return text + (self.prerelease and f"-{self.prerelease}") + (self._metadata and f"+{self._metadata}")

    def __gotemplate_lookup__(self, field: str) -> object:
        """Called by gotpl for `.Major` and the like; KeyError for an unknown field."""
        numbers = {key: Uint64(value) for key, value in zip(("Major", "Minor", "Patch"), self.numbers, strict=True)}
        texts = {
            "Prerelease": self.prerelease,
            "Metadata": self._metadata,
            "Original": self._original,
            "String": self.text(),
        }
        return {**numbers, **texts}[field]

    def compared(self, other: "Version") -> int:
        """Negative, 0 or positive as this version is less than, equal to or greater than the other."""
        if self.numbers != other.numbers:
            return -1 if self.numbers < other.numbers else 1
        if not self.prerelease or not other.prerelease:
            return bool(other.prerelease) - bool(self.prerelease)
        return _compared_prereleases(self.prerelease, other.prerelease)


def _compared_prereleases(left: str, right: str) -> int:
    lefts, rights = left.split("."), right.split(".")
    for index in range(max(len(lefts), len(rights))):
        keys = [_part_key(parts[index]) if index < len(parts) else (0, 0, "") for parts in (lefts, rights)]
        if keys[0] != keys[1]:
            return -1 if keys[0] < keys[1] else 1
    return 0


def _part_key(part: str) -> tuple[int, int, str]:
    """Numbers sort before words."""
    is_number = part.isdigit() and int(part) <= _MAX_NUMBER
    return (1, int(part), "") if is_number else (2, 0, part)


def version_of(text: str) -> Version:
    """The version in a text; minor and patch may be missing. Raises FunctionError."""
    found = _VERSION.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if found is None:
        raise FunctionError("not a semantic version")
    numbers = tuple(int((part or "0").removeprefix(".")) for part in (found[1], found[2], found[3]))
    prerelease, metadata = found[5] or "", found[7] or ""
    # Numbers in a prerelease have no leading zeros.
    padded = any(part.isdigit() and len(part) > 1 and part[0] == "0" for part in prerelease.split("."))
    if padded or max(numbers) > _MAX_NUMBER:
        raise FunctionError("not a semantic version")
    return Version(text, (numbers[0], numbers[1], numbers[2]), prerelease, metadata)


class _Condition(NamedTuple):
    """One comparison. `open_minor` and `open_patch` say which part the version leaves open, `open_` that one is."""

    operator: str
    version: Version
    open_minor: bool
    open_patch: bool
    open_: bool

    def holds(self, version: Version) -> bool:
        """Whether the version satisfies it; a prerelease only if the condition names one."""
        if version.prerelease and not self.version.prerelease and (self.operator != "!=" or self.open_):
            return False
        return _OPERATORS[self.operator](version, self)


def _conditions(text: str) -> list[list[_Condition]]:
    """Alternatives, each a list of conditions that all have to hold. Raises FunctionError."""
    if len(text) > _MAX_LENGTH:
        raise FunctionError("the constraint is too long")
    for found in list(_RANGE.finditer(text)):
        text = text.replace(found[0], f">= {found[1]}, <= {found[_SECOND_OF_RANGE]} ", 1)
    return [_all_of(part) for part in text.split("||")]


def _all_of(text: str) -> list[_Condition]:
    if not _VALID.fullmatch(text):
        raise FunctionError("not a version constraint")
    return [_condition(part) for part in (found[0] for found in _FIND.finditer(text))]


def _condition(text: str) -> _Condition:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise FunctionError("not a version constraint")
    operator, whole, major, minor, patch, extra = (found[index] for index in range(1, 7))
    extra = extra or ""
    if _is_open(major):
        return _Condition(operator, version_of(f"0.0.0{extra}"), open_minor=False, open_patch=False, open_=True)
    if _is_open(minor):
        return _Condition(operator, version_of(f"{major}.0.0{extra}"), open_minor=True, open_patch=False, open_=True)
    if _is_open(patch):
        version = version_of(f"{major}{minor}.0{extra}")
        return _Condition(operator, version, open_minor=False, open_patch=True, open_=True)
    return _Condition(operator, version_of(whole), open_minor=False, open_patch=False, open_=False)


def _is_open(part: str | None) -> bool:
    return not part or part.removeprefix(".") in ("x", "X", "*")


def _is_not(version: Version, condition: _Condition) -> bool:
    wanted = condition.version
    if condition.open_:
        if wanted.numbers[0] != version.numbers[0]:
            return True
        if condition.open_minor:
            return False
        if wanted.numbers[1] != version.numbers[1]:
            return True
        if condition.open_patch:
            both = version.prerelease or wanted.prerelease
            return bool(both) and _compared_prereleases(version.prerelease, wanted.prerelease) != 0
        if wanted.numbers[2] != version.numbers[2]:
            return True
    return version.compared(wanted) != 0


def _is_above(version: Version, condition: _Condition) -> bool:
    wanted = condition.version
    if condition.open_:
        if version.numbers[0] != wanted.numbers[0]:
            return version.numbers[0] > wanted.numbers[0]
        if condition.open_minor:
            return False
        if condition.open_patch:
            return version.numbers[1] > wanted.numbers[1]
    return version.compared(wanted) > 0


def _is_at_most(version: Version, condition: _Condition) -> bool:
    wanted = condition.version
    if not condition.open_:
        return version.compared(wanted) <= 0
    if version.numbers[0] != wanted.numbers[0]:
        return version.numbers[0] < wanted.numbers[0]
    return version.numbers[1] <= wanted.numbers[1] or condition.open_minor


def _is_near(version: Version, condition: _Condition) -> bool:
    """`~`: the same minor, or the same major if no minor is given."""
    wanted = condition.version
    if version.compared(wanted) < 0:
        return False
    if not any(wanted.numbers) and not condition.open_minor and not condition.open_patch:
        return True
    if version.numbers[0] != wanted.numbers[0]:
        return False
    return version.numbers[1] == wanted.numbers[1] or condition.open_minor


def _is_equal(version: Version, condition: _Condition) -> bool:
    return _is_near(version, condition) if condition.open_ else version.compared(condition.version) == 0


def _is_compatible(version: Version, condition: _Condition) -> bool:
    """`^`: the same leftmost number that is not 0."""
    wanted = condition.version
    if version.compared(wanted) < 0:
        return False
    if wanted.numbers[0] > 0 or condition.open_minor:
        return version.numbers[0] == wanted.numbers[0]
    if version.numbers[0] > 0:
        return False
    if wanted.numbers[1] > 0 or condition.open_patch:
        return version.numbers[1] == wanted.numbers[1]
    return version.numbers[1:] == wanted.numbers[1:]


def _is_at_least(version: Version, condition: _Condition) -> bool:
    return version.compared(condition.version) >= 0


_OPERATORS: dict[str, Callable[[Version, _Condition], bool]] = {
    "": _is_equal,
    "=": _is_equal,
    "!=": _is_not,
    ">": _is_above,
    "<": lambda version, condition: version.compared(condition.version) < 0,
    ">=": _is_at_least,
    "=>": _is_at_least,
    "<=": _is_at_most,
    "=<": _is_at_most,
    "~": _is_near,
    "~>": _is_near,
    "^": _is_compatible,
}


def _compare(condition: str, text: str) -> bool:
    any_of = _conditions(condition)
    version = version_of(text)
    return any(all(one.holds(version) for one in all_of) for all_of in any_of)


PLAIN: dict[str, Callable[..., object]] = {"semver": version_of, "semverCompare": _compare}
BOUNDED: dict[str, Callable[..., object]] = {}
