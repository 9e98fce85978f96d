"""Lists."""

from collections.abc import Callable

from lambda_matchbox.golang.text import bytes_of
from lambda_matchbox.golang.values import ListList, NilList, StringList, type_name
from lambda_matchbox.gotemplate.limits import Allowance, FunctionError
from lambda_matchbox.gotemplate.sprig.defaults import empty
from lambda_matchbox.gotemplate.sprig.numbers import int64_of
from lambda_matchbox.gotemplate.sprig.strval import texts_of_any
from lambda_matchbox.gotemplate.sprig.types import same

_ELEMENT_WORK = 3


def _elements(value: object) -> list[object]:
    if not isinstance(value, list):
        raise FunctionError(f"a list is wanted, not {type_name(value)}")
    return list(value)


def _first(value: object) -> object:
    elements = _elements(value)
    return elements[0] if elements else None


def _last(value: object) -> object:
    elements = _elements(value)
    return elements[-1] if elements else None


def _rest(value: object) -> list[object]:
    elements = _elements(value)
    return elements[1:] if elements else NilList()


def _initial(value: object) -> list[object]:
    elements = _elements(value)
    return elements[:-1] if elements else NilList()


def _compact(allowance: Allowance, value: object) -> list[object]:
    elements = _elements(value)
    allowance.take_work(_ELEMENT_WORK * len(elements))
    return [one for one in elements if not empty(one)]


def _slice(value: object, *indexes: object) -> object:
    elements = _elements(value)
    if not elements:
        return None
    start = int64_of(indexes[0]) if indexes else 0
    stop = int64_of(indexes[1]) if len(indexes) > 1 else len(elements)
    if not 0 <= start <= stop <= len(elements):
        raise FunctionError("the indexes are out of range")
    return type(value)(elements[start:stop])  # type: ignore[call-arg]  # a list


def _chunk(allowance: Allowance, size: int, value: object) -> ListList:
    elements = _elements(value)
    allowance.take_elements(len(elements))
    if size > 0:
        return ListList(elements[index : index + size] for index in range(0, len(elements), size))
    # What Sprig's arithmetic makes of it.
    count = (len(elements) - 1) // size + 1 if size else -1
    first = len(elements) % -size if size else 0
    if count < 0 or count > 1 or (count == 1 and not first):
        raise FunctionError("the size of a part has to be at least 1")
    return ListList([elements[:first]] if count else [])


def _concat(*values: object) -> list[object]:
    joined = [one for value in values for one in _elements(value)]
    return joined or NilList()


def _uniq(allowance: Allowance, value: object) -> list[object]:
    kept: list[object] = []
    for one in _elements(value):
        if not any(same(allowance, one, other) for other in kept):
            kept.append(one)
    return kept


def _without(allowance: Allowance, value: object, *omitted: object) -> list[object]:
    return [one for one in _elements(value) if not any(same(allowance, other, one) for other in omitted)]


def _has(allowance: Allowance, needle: object, value: object) -> bool:
    return value is not None and any(same(allowance, needle, one) for one in _elements(value))


def _sort_alpha(allowance: Allowance, value: object) -> StringList:
    texts = texts_of_any(allowance, value) if value is not None else ["<nil>"]
    texts.sort(key=bytes_of)
    return StringList(texts)


_WITH_MUST: dict[str, Callable[..., object]] = {
    "append": lambda value, one: [*_elements(value), one],
    "first": _first,
    "initial": _initial,
    "last": _last,
    "prepend": lambda value, one: [one, *_elements(value)],
    "push": lambda value, one: [*_elements(value), one],
    "rest": _rest,
    "reverse": lambda value: _elements(value)[::-1],
    "slice": _slice,
}
_BOUNDED_WITH_MUST: dict[str, Callable[..., object]] = {
    "chunk": _chunk,
    "compact": _compact,
    "has": _has,
    "uniq": _uniq,
    "without": _without,
}


def _must(name: str) -> str:
    return "must" + name[0].upper() + name[1:]


PLAIN = {
    **_WITH_MUST,
    **{_must(name): function for name, function in _WITH_MUST.items()},
    "concat": _concat,
    "list": lambda *values: list(values),
    "tuple": lambda *values: list(values),
}
BOUNDED = {
    **_BOUNDED_WITH_MUST,
    **{_must(name): function for name, function in _BOUNDED_WITH_MUST.items()},
    "sortAlpha": _sort_alpha,
}
