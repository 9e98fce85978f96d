"""Lists, and maps, which Sprig calls dictionaries. `set`, `unset` and `merge` change their first argument."""

from collections.abc import Callable

from lambda_matchbox.golang.text import bytes_of
from lambda_matchbox.golang.values import ListList, NilList, NilMap, StringList, StringMap, type_name
from lambda_matchbox.gotemplate.errors import FunctionError
from lambda_matchbox.gotemplate.limits import Limits
from lambda_matchbox.gotemplate.sprig.numbers import int64_of
from lambda_matchbox.gotemplate.sprig.values import empty, same, text_of_any, texts_of_any

_ELEMENT_WORK = 3
_COPY_WORK = 5
_MIN_DIG_ARGUMENTS = 3
Map = dict[str, object]


def _elements(value: object) -> list[object]:
    if not isinstance(value, list):
        raise FunctionError(f"a list is required, not {type_name(value)}")
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


def _compact(limits: Limits, value: object) -> list[object]:
    elements = _elements(value)
    limits.take_work(_ELEMENT_WORK * len(elements))
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


def _chunk(limits: Limits, size: int, value: object) -> ListList:
    elements = _elements(value)
    limits.take_elements(len(elements))
    if size > 0:
        return ListList(elements[index : index + size] for index in range(0, len(elements), size))
    # The result of Sprig's arithmetic.
    count = (len(elements) - 1) // size + 1 if size else -1
    first = len(elements) % -size if size else 0
    if count < 0 or count > 1 or (count == 1 and not first):
        raise FunctionError("the size of a chunk must be at least 1")
    return ListList([elements[:first]] if count else [])


def _concat(*values: object) -> list[object]:
    joined = [one for value in values for one in _elements(value)]
    return joined or NilList()


def _uniq(limits: Limits, value: object) -> list[object]:
    kept: list[object] = []
    for one in _elements(value):
        if not any(same(limits, one, other) for other in kept):
            kept.append(one)
    return kept


def _without(limits: Limits, value: object, *omitted: object) -> list[object]:
    return [one for one in _elements(value) if not any(same(limits, other, one) for other in omitted)]


def _has(limits: Limits, needle: object, value: object) -> bool:
    return value is not None and any(same(limits, needle, one) for one in _elements(value))


def _sort_alpha(limits: Limits, value: object) -> StringList:
    texts = texts_of_any(limits, value) if value is not None else ["<nil>"]
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


def _set(map_: Map, key: str, value: object) -> Map:
    if isinstance(map_, NilMap):
        raise FunctionError("a nil map cannot be changed")
    map_[key] = value
    return map_


def _unset(map_: Map, key: str) -> Map:
    map_.pop(key, None)
    return map_


def _keys(*maps: Map) -> StringList:
    # Go's order is random; this is the order in which it prints a map.
    return StringList(key for map_ in maps for key in sorted(map_, key=bytes_of))


def _pick(map_: Map, *keys: str) -> Map:
    return {key: map_[key] for key in keys if key in map_}


def _omit(map_: Map, *keys: str) -> Map:
    omitted = set(keys)
    return {key: value for key, value in map_.items() if key not in omitted}


def _dict(limits: Limits, *values: object) -> Map:
    made: Map = {}
    for index in range(0, len(values), 2):
        key = text_of_any(limits, values[index])
        if not isinstance(values[index], str):
            limits.take_text(len(key))
        made[key] = values[index + 1] if index + 1 < len(values) else ""
    return made


def _dig(*values: object) -> object:
    if len(values) < _MIN_DIG_ARGUMENTS:
        raise FunctionError("at least three arguments are required")
    *keys, fallback, found = values
    for key in keys:
        if not isinstance(key, str):
            raise FunctionError(f"the keys must be strings, not {type_name(key)}")
    for key in keys:
        if not isinstance(found, dict) or isinstance(found, StringMap):
            raise FunctionError(f"{type_name(found)} has no keys")
        if key not in found:
            return fallback
        found = found[key]
    return found


def _deep_copy(limits: Limits, value: object) -> object:
    if value is None:
        raise FunctionError("nil cannot be copied")
    return _copied(limits, value)


def _copied(limits: Limits, value: object) -> object:
    limits.take_work(_COPY_WORK)
    if isinstance(value, StringMap):
        return StringMap(value)
    if isinstance(value, dict):
        limits.take_elements(len(value))
        return {key: _copied(limits, one) for key, one in value.items()}
    if isinstance(value, list):
        limits.take_elements(len(value))
        return type(value)(_copied(limits, one) for one in value)
    return value


def _merged(limits: Limits, into: Map, sources: tuple[Map, ...], *, overwrite: bool) -> Map:
    into = {} if isinstance(into, NilMap) and any(not isinstance(one, NilMap) for one in sources) else into
    for source in sources:
        _merge(limits, into, source, overwrite=overwrite)
    return into


def _merge(limits: Limits, into: Map, source: Map, *, overwrite: bool) -> None:
    """Merge as mergo does: an empty member of `into` counts as missing, and two maps under one key are merged.

    Of two lists that of `into` stays, unless it is empty or overwritten.
    """
    limits.take_work(_COPY_WORK * len(source))
    for key, value in list(source.items()):
        old = into.get(key)
        if value is None:
            if overwrite:
                into[key] = None
            continue
        if isinstance(value, dict) and isinstance(old, dict):
            if isinstance(old, StringMap) and not isinstance(value, StringMap):
                raise FunctionError("a map of any values cannot be merged into one of strings")
            _merge(limits, old, value, overwrite=overwrite)
            if old:
                continue
        if overwrite or empty(old):
            limits.take_elements(key not in into)
            into[key] = value


def _merging(*, overwrite: bool) -> Callable[..., object]:
    return lambda limits, into, *sources: _merged(limits, into, sources, overwrite=overwrite)


PLAIN: dict[str, Callable[..., object]] = {
    **_WITH_MUST,
    **{_must(name): function for name, function in _WITH_MUST.items()},
    "concat": _concat,
    "list": lambda *values: list(values),
    "tuple": lambda *values: list(values),
    "dig": _dig,
    "get": lambda map_, key: map_.get(key, ""),
    "hasKey": lambda map_, key: key in map_,
    "keys": _keys,
    "omit": _omit,
    "pick": _pick,
    "pluck": lambda key, *maps: [map_[key] for map_ in maps if key in map_],
    "set": _set,
    "unset": _unset,
    "values": lambda map_: [map_[key] for key in sorted(map_, key=bytes_of)],
}
BOUNDED: dict[str, Callable[..., object]] = {
    **_BOUNDED_WITH_MUST,
    **{_must(name): function for name, function in _BOUNDED_WITH_MUST.items()},
    "sortAlpha": _sort_alpha,
    "deepCopy": _deep_copy,
    "dict": _dict,
    "merge": _merging(overwrite=False),
    "mergeOverwrite": _merging(overwrite=True),
    "mustDeepCopy": _deep_copy,
    "mustMerge": _merging(overwrite=False),
    "mustMergeOverwrite": _merging(overwrite=True),
}
