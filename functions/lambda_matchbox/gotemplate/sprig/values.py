"""Default values, emptiness, types and equality of values, and the text of any value."""

from collections.abc import Callable

from lambda_matchbox.golang.print import sprint
from lambda_matchbox.golang.values import GoObject, is_nil_list, kind_name, type_name
from lambda_matchbox.gotemplate.errors import FunctionError
from lambda_matchbox.gotemplate.functions import printed
from lambda_matchbox.gotemplate.limits import Limits

_ELEMENT_WORK = 3
_COMPARISON_WORK = 10


def text_of_any(limits: Limits, value: object) -> str:
    """A string as it is, any other value as `%v` prints it. Raises FunctionError if it is too long."""
    if isinstance(value, str):
        return value
    return printed(limits, sprint, (value,))


def texts_of_any(limits: Limits, value: object) -> list[str]:
    """The elements of a list as texts, without nil; any other value as the only text."""
    if isinstance(value, list):
        limits.take_work(_ELEMENT_WORK * len(value))
        texts = []
        for one in value:
            if one is not None:
                texts.append(text_of_any(limits, one))
                if not isinstance(one, str):
                    limits.take_text(len(texts[-1]))
        return texts
    return [] if value is None else [text_of_any(limits, value)]


def empty(value: object) -> bool:
    """Whether the value is the zero value of its type."""
    return not value and not isinstance(value, GoObject)


def _default(fallback: object, *given: object) -> object:
    return fallback if not given or empty(given[0]) else given[0]


def _coalesce(*values: object) -> object:
    return next((value for value in values if not empty(value)), None)


def _fail(_: str) -> str:
    # The text may hold a secret.
    raise FunctionError("the template calls fail")


def same(limits: Limits, left: object, right: object) -> bool:
    """Go's reflect.DeepEqual. Raises FunctionError beyond a limit."""
    limits.take_work(_COMPARISON_WORK)
    if type_name(left) != type_name(right) or is_nil_list(left) != is_nil_list(right):
        return False
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(same(limits, *pair) for pair in zip(left, right, strict=True))
    if isinstance(left, dict) and isinstance(right, dict):
        return len(left) == len(right) and all(
            key in right and same(limits, value, right[key]) for key, value in left.items()
        )
    if isinstance(left, GoObject) and isinstance(right, GoObject):
        return left.text() == right.text()
    if isinstance(left, str):
        limits.take_work(len(left) // 100)
    return left == right


PLAIN: dict[str, Callable[..., object]] = {
    "all": lambda *values: not any(map(empty, values)),
    "any": lambda *values: not all(map(empty, values)),
    "coalesce": _coalesce,
    "default": _default,
    "empty": empty,
    "fail": _fail,
    "ternary": lambda yes, no, condition: yes if condition else no,
    "kindIs": lambda kind, value: kind == kind_name(value),
    "kindOf": kind_name,
    "typeIs": lambda name, value: name == type_name(value),
    "typeIsLike": lambda name, value: type_name(value) in (name, "*" + name),
    "typeOf": type_name,
}
BOUNDED: dict[str, Callable[..., object]] = {"deepEqual": same}
