"""Go's text/template, rendered by the library gotpl, which only a template with actions beyond fields loads.

Known differences from Go: `"\\xff"` in a literal is the character U+00FF, `{{and nil}}` is an error, the verb `%p`
shows no address, and `#` does nothing to the verbs of a float64.
"""

from collections.abc import Mapping

from lambda_matchbox.gotemplate.errors import TemplateError
from lambda_matchbox.gotemplate.fields import render_fields

__all__ = ["TemplateError", "check_syntax", "render", "sprig_functions_in"]


def render(source: bytes, data: Mapping[str, object], *, name: str) -> bytes:
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

    return rendering.render(source, data, name)


def check_syntax(source: bytes, *, name: str) -> None:
    """Raises TemplateError if `source` does not parse."""
    if _has_action(source):
        from lambda_matchbox.gotemplate import rendering

        rendering.check_syntax(source, name)


def sprig_functions_in(source: bytes) -> frozenset[str]:
    """The functions of Sprig that a template calls; none if it does not parse."""
    if not _has_action(source):
        return frozenset()
    from lambda_matchbox.gotemplate import rendering

    return rendering.sprig_functions_in(source)


def _has_action(source: bytes) -> bool:
    return b"{{" in source
