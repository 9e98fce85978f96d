"""Calls of Sprig's functions, with arguments checked against the parameters as Go's text/template does.

Messages quote no value.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module

from gotpl.runtime.values import UNTYPED_NIL

from lambda_matchbox.golang.values import GoValueError, Int64, NilMap, StringMap, Uint64, type_name
from lambda_matchbox.gotemplate.errors import FunctionError
from lambda_matchbox.gotemplate.limits import Limits
from lambda_matchbox.gotemplate.sprig.names import ALLOWED

Function = Callable[..., object]
_MODULES = {name: module for module, functions in ALLOWED.items() for name in functions}
# The work of a call, besides that for its arguments.
_CALL_WORK = 50
# They return a value that existed before.
_GIVING_BACK = frozenset(
    {
        "coalesce",
        "default",
        "dig",
        "first",
        "get",
        "last",
        "merge",
        "mergeOverwrite",
        "mustFirst",
        "mustLast",
        "mustMerge",
        "mustMergeOverwrite",
        "set",
        "ternary",
        "unset",
    }
)
_GO_NAMES = {"any": "interface {}", "map": "map[string]interface {}", "time": "time.Time"}


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool | Int64 | Uint64)


_FITS: Mapping[str, Callable[[object], bool]] = {
    "any": lambda _: True,
    "string": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "int": _is_int,
    "float64": lambda value: isinstance(value, float),
    "map": lambda value: isinstance(value, dict) and not isinstance(value, StringMap),
    "time": lambda value: type_name(value) == "time.Time",
}


_Signature = tuple[tuple[str, ...], str | None]
"""The types of the fixed parameters, and of the variadic one, if any."""


@cache
def _signature(text: str) -> _Signature:
    words = text.split()
    if words and words[-1].startswith("..."):
        return tuple(words[:-1]), words[-1].removeprefix("...")
    return tuple(words), None


def sprig_functions(limits: Limits, names: Iterable[str]) -> dict[str, Function]:
    """The functions of these names, which are in ALLOWED. The first call of one loads its module.

    Each raises FunctionError where Sprig's fails and beyond a limit.
    """
    return {name: _called(name, _MODULES[name], limits) for name in names}


def _called(name: str, module: str, limits: Limits) -> Function:
    def call(*values: object) -> object:
        limits.call()
        arguments = _checked(list(values), _signature(ALLOWED[module][name]))
        limits.take_text(sum(len(value) for value in arguments if isinstance(value, str)))
        # The list may be copied.
        elements = sum(len(value) for value in arguments if isinstance(value, list | dict))
        limits.take_work(_CALL_WORK + elements // 10)
        try:
            loaded = import_module(f"lambda_matchbox.gotemplate.sprig.{module}")
            plain: Mapping[str, Function] = loaded.PLAIN
            bounded: Mapping[str, Function] = loaded.BOUNDED
            made = plain[name](*arguments) if name in plain else bounded[name](limits, *arguments)
        except RecursionError:
            raise FunctionError("the arguments are nested too deeply") from None
        except GoValueError as error:
            raise FunctionError(str(error)) from None
        except ImportError as error:
            # A library is missing on this server.
            raise FunctionError(f"this server lacks a library: {error}") from error
        if isinstance(made, str):
            limits.take_text(len(made))
        elif isinstance(made, list | dict):
            limits.take_elements(1 if name in _GIVING_BACK else len(made))
        return made

    return call


def _checked(values: list[object], signature: _Signature) -> list[object]:
    fixed, rest = signature
    if len(values) < len(fixed) or (rest is None and len(values) > len(fixed)):
        least = "at least " if rest is not None else ""
        plural = "" if len(fixed) == 1 else "s"
        raise FunctionError(f"{least}{len(fixed)} argument{plural} required, {len(values)} given")
    types = [*fixed, *[rest or ""] * (len(values) - len(fixed))]
    return [_of_type(value, wanted) for value, wanted in zip(values, types, strict=True)]


def _of_type(value: object, wanted: str) -> object:
    """The value as Go passes it to a parameter of that type. The literal nil is passed as a nil map."""
    if wanted == "map" and value is UNTYPED_NIL:
        return NilMap()
    value = None if type_name(value) == "<nil>" else value
    if wanted == "float64" and _is_int(value):
        # Go converts an integer literal to a float64 parameter.
        return float(value)  # type: ignore[arg-type]  # an int
    if _FITS[wanted](value):
        return value
    raise FunctionError(f"{_GO_NAMES.get(wanted, wanted)} required, not {type_name(value)}")
