"""Types and values of YAML scalars, as gopkg.in/yaml.v3 resolves them.

A scalar with a tag unknown to yaml.v3 is a string.
"""

import base64
import binascii
import re

from lambda_matchbox.ignition.butane.reading.yaml_nodes import Scalar
from lambda_matchbox.ignition.yaml import NULLS

_INTEGERS = range(-(2**63), 2**63)
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
# YAML 1.1's booleans, which a boolean field accepts even quoted or with an unknown tag.
_OLD_BOOLEANS = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
}
_INTEGER = (
    r"[-+]?(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<binary>[01]+)|0[oO]?(?P<octal>[0-7]+)|(?P<decimal>0|[1-9][0-9]*))"
)
_BASES = {"hex": 16, "binary": 2, "octal": 8, "decimal": 10}
_FLOAT = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
_SPECIAL_FLOATS = r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
_TIMESTAMP = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?"
_LINE_END = r"[\r\n]"
_PREFIX = "tag:yaml.org,2002:"
# A scalar with one of these tags must look like it.
_LOOKED_AT = frozenset({"!!null", "!!bool", "!!int", "!!float", "!!timestamp"})
_KNOWN_TAGS = _LOOKED_AT | {"!!str", "!!binary", "!!merge", "!!seq", "!!map"}
_MAX_DIGITS = 80
_SHOWN, _MAX_SHOWN = 7, 10


class WrongTypeError(ValueError):
    """A scalar that does not fit its field."""


def short_form(tag: str) -> str:
    """A tag in yaml.v3's short form, like `!!int`."""
    return "!!" + tag.removeprefix(_PREFIX) if tag.startswith(_PREFIX) else tag


def masked_tag(tag: str) -> str:
    """A tag for a log, in its short form; `!` for a tag that yaml.v3 does not know."""
    return tag if tag in _KNOWN_TAGS else "!"


def short_tag(scalar: Scalar) -> str:
    """The tag of a scalar, like `!!int`; an unknown one unchanged."""
    if scalar.tag and scalar.tag != "!":
        return short_form(scalar.tag)
    return _plain_tag(scalar.value) if scalar.plain else "!!str"


def tag_problem(scalar: Scalar) -> str:
    """yaml.v3's error for a scalar that does not fit its explicit tag; empty if it fits."""
    tag = short_form(scalar.tag)
    if tag in _LOOKED_AT:
        # `<<` has its own type only as a key.
        found = _plain_tag(scalar.value) if scalar.value != "<<" else "!!str"
        is_float = tag == "!!float" and found == "!!int" and _integer(scalar.value) in _INTEGERS
        if found != tag and not is_float:
            return f"cannot decode {found} `{scalar.value}` as a {tag}"
    if tag == "!!binary" and _binary(scalar.value) is None:
        return "!!binary value contains invalid base64 data"
    return ""


def is_null(scalar: Scalar) -> bool:
    """Whether the scalar is null."""
    if scalar.tag and scalar.tag != "!":
        return short_form(scalar.tag) == "!!null"
    return scalar.plain and scalar.value in NULLS


def value_of(scalar: Scalar, kind: str) -> object:
    """The value of a scalar that is not null and fits its tag, for a field of type `string`, `int` or `bool`.

    Raises:
        WrongTypeError: it does not fit the field.
    """
    if kind == "string":
        return _binary(scalar.value) if short_form(scalar.tag) == "!!binary" else scalar.value
    tag = short_tag(scalar)
    if kind == "bool":
        return _boolean(_binary(scalar.value) if tag == "!!binary" else scalar.value, tag)
    number = _integer(scalar.value) if tag == "!!int" else _truncated(scalar.value) if tag == "!!float" else None
    if number is None or number not in _INTEGERS:
        raise WrongTypeError
    return number


def shown(scalar: Scalar) -> str:
    """The scalar as errors quote it."""
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
        if re.fullmatch(_FLOAT, value.replace("_", "")) or re.fullmatch(_SPECIAL_FLOATS, value):
            return "!!float"
        if re.fullmatch(_TIMESTAMP, value, re.DOTALL):
            return "!!timestamp"
    return "!!str"


def _integer(value: str) -> int | None:
    """The integer in `value` if it fits 64 bits, signed or unsigned; Go makes a float64 of others."""
    digits = value.replace("_", "")
    found = re.fullmatch(_INTEGER, digits) if len(digits) <= _MAX_DIGITS else None
    if not found or not found.lastgroup:
        return None
    number = int(found[found.lastgroup], _BASES[found.lastgroup])
    number = -number if digits.startswith("-") else number
    return number if number in range(_INTEGERS.start, 2 * _INTEGERS.stop) else None


def _truncated(value: str) -> int | None:
    if re.fullmatch(_SPECIAL_FLOATS, value):
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
        return base64.b64decode(re.sub(_LINE_END, "", value), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return None
