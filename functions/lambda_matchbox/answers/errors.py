"""The errors of responses that are made from templates, and their translation from the template engine's."""

from collections.abc import Iterator
from contextlib import contextmanager

from lambda_matchbox.errors import MatchboxError


class RenderError(MatchboxError):
    """A template does not parse or render; `reason` is the message without the template's name and line."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class InvalidConfigError(MatchboxError):
    """A template, or what it renders, is not what its route serves. The message shows no value of it."""

    def __init__(self, template_id: str, reason: str, report: tuple[str, ...] = ()) -> None:
        super().__init__(f"template {template_id!r}: {reason}")
        self.report = report


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise RenderError for the template engine's errors."""
    from lambda_matchbox.gotemplate.engine import TemplateError

    try:
        yield
    except TemplateError as error:
        raise RenderError(str(error), error.reason) from None
