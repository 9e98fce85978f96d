"""What does a YAML scalar mean to gopkg.in/yaml.v3? Its type, and its value for a field of a config.

A tag that yaml.v3 does not know means nothing to it: the scalar is then a string, whatever it looks like.
"""

import base64
import binascii
import re

from lambda_matchbox.ignition.butane.reading.yaml_nodes import Scalar
from lambda_matchbox.ignition.yaml import NULLS

_INTEGERS = range(-(2**63), 2**63)
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
# YAML 1.1's other words, which a boolean field takes even in quotes, or with an unknown tag.
_OLD_BOOLEANS = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
}
_INTEGER = re.compile(
    r"[-+]?(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<binary>[01]+)|0[oO]?(?P<octal>[0-7]+)|(?P<decimal>0|[1-9][0-9]*))",
    re.ASCII,
)
_BASES = {"hex": 16, "binary": 2, "octal": 8, "decimal": 10}
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_SPECIAL_FLOATS = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?", re.ASCII | re.DOTALL)
_LINE_END = re.compile(r"[\r\n]")
_PREFIX = "tag:yaml.org,2002:"
# A scalar with one of these has to look like it.
_LOOKED_AT = frozenset({"!!null", "!!bool", "!!int", "!!float", "!!timestamp"})
_KNOWN_TAGS = _LOOKED_AT | {"!!str", "!!binary", "!!merge", "!!seq", "!!map"}
_MAX_DIGITS = 80
_SHOWN, _MAX_SHOWN = 7, 10


class WrongTypeError(ValueError):
    """A scalar that a field cannot hold."""


def short_form(tag: str) -> str:
    """A tag of the text as yaml.v3 shows it, like `!!int`."""
    return "!!" + tag.removeprefix(_PREFIX) if tag.startswith(_PREFIX) else tag


def masked_tag(tag: str) -> str:
    """A tag for a log, in its short form; one that the text has made up is `!`."""
    return tag if tag in _KNOWN_TAGS else "!"


def short_tag(scalar: Scalar) -> str:
    """The type of a scalar, like `!!int`; an unknown tag of the text as it is."""
    if scalar.tag and scalar.tag != "!":
        return short_form(scalar.tag)
    return _plain_tag(scalar.value) if scalar.plain else "!!str"


def tag_problem(scalar: Scalar) -> str:
    """Why the tag that the text gives a scalar ends yaml.v3's reading, in its words; empty if it does not."""
    tag = short_form(scalar.tag)
    if tag in _LOOKED_AT:
        # Only as a key is `<<` of a type of its own.
        found = _plain_tag(scalar.value) if scalar.value != "<<" else "!!str"
        is_float = tag == "!!float" and found == "!!int" and _integer(scalar.value) in _INTEGERS
        if found != tag and not is_float:
            return f"cannot decode {found} `{scalar.value}` as a {tag}"
    if tag == "!!binary" and _binary(scalar.value) is None:
        return "!!binary value contains invalid base64 data"
    return ""


def is_null(scalar: Scalar) -> bool:
    """Whether it stands for nothing."""
    return short_tag(scalar) == "!!null"


def value_of(scalar: Scalar, kind: str) -> object:
    """The value of a scalar that is not null and has no `tag_problem`, for a field of type `string`, `int` or `bool`.

    Raises:
        WrongTypeError: it has none.
    """
    tag = short_tag(scalar)
    if kind == "string":
        return _binary(scalar.value) if tag == "!!binary" else scalar.value
    if kind == "bool":
        return _boolean(_binary(scalar.value) if tag == "!!binary" else scalar.value, tag)
    number = _integer(scalar.value) if tag == "!!int" else _truncated(scalar.value) if tag == "!!float" else None
    if number is None or number not in _INTEGERS:
        raise WrongTypeError
    return number


def shown(scalar: Scalar) -> str:
    """A scalar as an error shows it."""
    raw = scalar.value.encode()
    text = raw[:_SHOWN].decode("utf-8", "replace") + "..." if len(raw) > _MAX_SHOWN else scalar.value
    return f"{short_tag(scalar)} `{text}`"


def _plain_tag(value: str) -> str:
    if value in NULLS:
        return "!!null"
    if value in _BOOLEANS:
        return "!!bool"
    if value == "<<":
        return "!!merge"
    if value[0] in "+-.0123456789":
        if _integer(value) is not None:
            return "!!int"
        if _FLOAT.fullmatch(value.replace("_", "")) or _SPECIAL_FLOATS.fullmatch(value):
            return "!!float"
        if _TIMESTAMP.fullmatch(value):
            return "!!timestamp"
    return "!!str"


def _integer(value: str) -> int | None:
    """The integer that `value` is, if it fits 64 bits, signed or not; without a sign Go makes a float of others."""
    digits = value.replace("_", "")
    found = _INTEGER.fullmatch(digits) if len(digits) <= _MAX_DIGITS else None
    if not found or not found.lastgroup:
        return None
    number = int(found[found.lastgroup], _BASES[found.lastgroup])
    number = -number if digits.startswith("-") else number
    return number if number in range(_INTEGERS.start, 2 * _INTEGERS.stop) else None


def _truncated(value: str) -> int | None:
    if _SPECIAL_FLOATS.fullmatch(value):
        return None
    try:
        number = float(value.replace("_", ""))
    except ValueError:
        return None
    return int(number) if abs(number) < _INTEGERS.stop else None


def _boolean(value: str | None, tag: str) -> bool:
    if tag == "!!bool" and value in _BOOLEANS:
        return _BOOLEANS[value]
    if value in _OLD_BOOLEANS:
        return _OLD_BOOLEANS[value]
    raise WrongTypeError


def _binary(value: str) -> str | None:
    try:
        return base64.b64decode(_LINE_END.sub("", value), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return None
