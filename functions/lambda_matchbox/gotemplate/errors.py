"""The errors of templates."""


class TemplateError(Exception):
    """A template does not parse or does not render.

    The message names the template, the line and the reason. It quotes neither the data nor a string literal of the
    template.
    """

    def __init__(self, name: str, line: int | None, reason: str) -> None:
        where = "" if line is None else f", line {line}"
        super().__init__(f"template {name!r}{where}: {reason}")
        self.name = name
        self.line = line
        self.reason = reason


class FunctionError(ValueError):
    """A function of a template fails. The message quotes none of its arguments."""


class NumberError(ValueError):
    """A number in a template has thousands of digits."""
