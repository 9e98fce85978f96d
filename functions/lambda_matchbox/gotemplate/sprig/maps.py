"""Maps, which Sprig calls dictionaries. `set`, `unset` and `merge` change the one that they are given."""

from collections.abc import Callable

from lambda_matchbox.golang.text import bytes_of
from lambda_matchbox.golang.values import GoObject, NilMap, StringList, StringMap, type_name
from lambda_matchbox.gotemplate.limits import Allowance, FunctionError
from lambda_matchbox.gotemplate.sprig.strval import text_of_any

_LEAST_DIG_ARGUMENTS = 3
_COPY_WORK = 5
Map = dict[str, object]


def _set(map_: Map, key: str, value: object) -> Map:
    if isinstance(map_, NilMap):
        raise FunctionError("nil is no map that can be changed")
    map_[key] = value
    return map_


def _unset(map_: Map, key: str) -> Map:
    map_.pop(key, None)
    return map_


def _keys(*maps: Map) -> StringList:
    # Go's order is random: ours is that in which it prints a map.
    return StringList(key for map_ in maps for key in sorted(map_, key=bytes_of))


def _pick(map_: Map, *keys: str) -> Map:
    return {key: map_[key] for key in keys if key in map_}


def _omit(map_: Map, *keys: str) -> Map:
    omitted = set(keys)
    return {key: value for key, value in map_.items() if key not in omitted}


def _dict(allowance: Allowance, *values: object) -> Map:
    made: Map = {}
    for index in range(0, len(values), 2):
        key = text_of_any(allowance, values[index])
        if not isinstance(values[index], str):
            allowance.take_text(len(key))
        made[key] = values[index + 1] if index + 1 < len(values) else ""
    return made


def _dig(*values: object) -> object:
    if len(values) < _LEAST_DIG_ARGUMENTS:
        raise FunctionError("at least three arguments are wanted")
    *keys, fallback, found = values
    for key in keys:
        if not isinstance(key, str):
            raise FunctionError(f"the keys have to be strings, and one is {type_name(key)}")
    for key in keys:
        if not isinstance(found, dict) or isinstance(found, StringMap):
            raise FunctionError(f"there are no keys in {type_name(found)}")
        if key not in found:
            return fallback
        found = found[key]
    return found


def _deep_copy(allowance: Allowance, value: object) -> object:
    if value is None:
        raise FunctionError("there is no copy of nil")
    return _copied(allowance, value)


def _copied(allowance: Allowance, value: object) -> object:
    allowance.take_work(_COPY_WORK)
    if isinstance(value, StringMap):
        return StringMap(value)
    if isinstance(value, dict):
        allowance.take_elements(len(value))
        return {key: _copied(allowance, one) for key, one in value.items()}
    if isinstance(value, list):
        allowance.take_elements(len(value))
        return type(value)(_copied(allowance, one) for one in value)
    return value


def _merged(allowance: Allowance, into: Map, sources: tuple[Map, ...], *, overwrite: bool) -> Map:
    into = {} if isinstance(into, NilMap) and any(not isinstance(one, NilMap) for one in sources) else into
    for source in sources:
        _merge(allowance, into, source, overwrite=overwrite)
    return into


def _merge(allowance: Allowance, into: Map, source: Map, *, overwrite: bool) -> None:
    """As mergo: what is empty in `into` is as what it lacks; of two maps under one key the one goes into the other.

    Of two lists that of `into` stays, unless it is empty or overwritten.
    """
    allowance.take_work(_COPY_WORK * len(source))
    for key, value in list(source.items()):
        old = into.get(key)
        if value is None:
            if overwrite:
                into[key] = None
            continue
        if isinstance(value, dict) and isinstance(old, dict):
            if isinstance(old, StringMap) and not isinstance(value, StringMap):
                raise FunctionError("a map of any values cannot be merged into one of strings")
            _merge(allowance, old, value, overwrite=overwrite)
            if old:
                continue
        if overwrite or _is_empty(old):
            allowance.take_elements(key not in into)
            into[key] = value


def _is_empty(value: object) -> bool:
    return not isinstance(value, GoObject) and not value


def _merging(*, overwrite: bool) -> Callable[..., object]:
    return lambda allowance, into, *sources: _merged(allowance, into, sources, overwrite=overwrite)


PLAIN: dict[str, Callable[..., object]] = {
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
    "deepCopy": _deep_copy,
    "dict": _dict,
    "merge": _merging(overwrite=False),
    "mergeOverwrite": _merging(overwrite=True),
    "mustDeepCopy": _deep_copy,
    "mustMerge": _merging(overwrite=False),
    "mustMergeOverwrite": _merging(overwrite=True),
}
