"""Go's text/template, rendered by the library gotpl, which only a template with actions beyond fields loads.

Known differences from Go: `"\\xff"` in a literal is the character U+00FF, `{{and nil}}` is an error, the verb `%p`
shows no address, and `#` does nothing to the verbs of a float64.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from lambda_matchbox.gotemplate.errors import TemplateError
from lambda_matchbox.gotemplate.fields import render_fields

__all__ = [
    "NO_FUNCTIONS",
    "OwnFunctions",
    "TemplateError",
    "check_syntax",
    "literals_of",
    "render",
    "sprig_functions_in",
]

Literals: TypeAlias = frozenset[tuple[str, ...]]
"""The string literals that each call of a function begins with: one at least."""

OwnFunctions: TypeAlias = Mapping[str, Callable[[Literals], Callable[..., object]]]
"""Functions of the caller: each is made, from the literals of all its calls, before a template that calls it renders.

Both raise FunctionError.
"""

NO_FUNCTIONS: OwnFunctions = MappingProxyType({})


def render(source: bytes, data: Mapping[str, object], *, name: str, functions: OwnFunctions = NO_FUNCTIONS) -> bytes:
    """`source` executed over `data` with Go's option missingkey=error; `name` is the template's name in errors.

    `data` has the types of JSON; numbers become float64, as Go reads them. A lone surrogate of "surrogateescape" in a
    string is written as its byte, and a source that is not UTF-8 keeps its bytes. A `StringMap` is Go's
    map[string]string.

    Raises:
        TemplateError: it does not parse or render, takes too long, or its output is too long.
    """
    if not _has_action(source):
        return source
    if (rendered := render_fields(source, data)) is not None:
        return rendered
    from lambda_matchbox.gotemplate import rendering

    return rendering.render(source, data, name, functions)


def check_syntax(source: bytes, *, name: str, functions: tuple[str, ...] = ()) -> None:
    """Raises TemplateError if `source` does not parse; `functions` are the names of the caller's."""
    if _has_action(source):
        from lambda_matchbox.gotemplate import rendering

        rendering.check_syntax(source, name, functions)


def literals_of(function: str, source: bytes) -> Literals:
    """The literals of all calls of that function of the caller's; none if `source` does not parse."""
    if not _has_action(source) or function.encode() not in source:
        return frozenset()
    from lambda_matchbox.gotemplate import rendering

    return rendering.literals_of(function, source)


def sprig_functions_in(source: bytes) -> frozenset[str]:
    """The functions of Sprig that a template calls; none if it does not parse."""
    if not _has_action(source):
        return frozenset()
    from lambda_matchbox.gotemplate import rendering

    return rendering.sprig_functions_in(source)


def _has_action(source: bytes) -> bool:
    return b"{{" in source
