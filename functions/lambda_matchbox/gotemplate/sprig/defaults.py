"""Which of several values counts?"""

from lambda_matchbox.golang.values import GoObject
from lambda_matchbox.gotemplate.limits import FunctionError


def empty(value: object) -> bool:
    """Whether the value is its type's zero: nothing in it, no number but nought, false, nil."""
    if isinstance(value, GoObject):
        return False
    return not value


def _default(fallback: object, *given: object) -> object:
    return fallback if not given or empty(given[0]) else given[0]


def _coalesce(*values: object) -> object:
    return next((value for value in values if not empty(value)), None)


def _fail(_: str) -> str:
    # The text may hold a value.
    raise FunctionError("the template says so")


PLAIN = {
    "all": lambda *values: not any(map(empty, values)),
    "any": lambda *values: not all(map(empty, values)),
    "coalesce": _coalesce,
    "default": _default,
    "empty": empty,
    "fail": _fail,
    "ternary": lambda yes, no, condition: yes if condition else no,
}
BOUNDED: dict[str, object] = {}
