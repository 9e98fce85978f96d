"""Responses made of rendered templates; their errors and reports show no secret."""

from collections.abc import Callable, Mapping

from lambda_matchbox.answers.errors import InvalidConfigError, RenderError, translated_errors
from lambda_matchbox.catalog.templates import Template
from lambda_matchbox.gotemplate.engine import Literals, render
from lambda_matchbox.http import Response
from lambda_matchbox.secrets.function import PLACEHOLDER, Function, MadeFunction
from lambda_matchbox.secrets.references import FUNCTION

ResponseOf = Callable[[str, bytes], Response]
"""From a template's id and what it renders to the response. Raises InvalidConfigError."""


def respond(template: Template, data: Mapping[str, object], secrets: MadeFunction, response_of: ResponseOf) -> Response:
    """The response made of what the template renders over `data`; `secrets` makes the function `secret`.

    Raises RenderError, InvalidConfigError.
    """
    given: list[Function] = []

    def noted(literals: Literals) -> Function:
        given.append(secrets(literals))
        return given[0]

    try:
        response = _rendered(template, data, noted, response_of)
    except (RenderError, InvalidConfigError) as error:
        if not given:
            raise
        raise _shown_error(error, template.id, _with_placeholders(template, data, given[0], response_of)) from None
    except Exception as error:
        if not given:
            raise
        # Its message is logged, and may quote a value.
        failure = RuntimeError(f"{type(error).__name__}, raised for template {template.id!r} with secrets")
        raise failure.with_traceback(error.__traceback__) from None
    if not given:
        return response
    if response.report:
        other = _with_placeholders(template, data, given[0], response_of)
        response = response._replace(report=_shown_report(response.report, other.report))
    return response.with_secret()


def _rendered(
    template: Template, data: Mapping[str, object], secrets: MadeFunction, response_of: ResponseOf
) -> Response:
    with translated_errors():
        rendered = render(template.body, data, name=template.id, functions={FUNCTION: secrets})
    return response_of(template.id, rendered)


def _with_placeholders(
    template: Template, data: Mapping[str, object], secret: Function, response_of: ResponseOf
) -> Response | RenderError | InvalidConfigError:
    """What results with a placeholder for each secret: what that shares with the real one quotes no value."""

    def placeholder(*arguments: object) -> str:
        secret(*arguments)
        return PLACEHOLDER

    try:
        return _rendered(template, data, lambda _: placeholder, response_of)
    except (RenderError, InvalidConfigError) as error:
        return error


def _shown_error(
    error: RenderError | InvalidConfigError, template_id: str, other: Response | RenderError | InvalidConfigError
) -> RenderError | InvalidConfigError:
    """The error if placeholders lead to the same, else one that does not say why."""
    if isinstance(other, Response) or str(error) != str(other):
        instead = "nothing" if isinstance(other, Response) else str(other)
        reason = "the values of its secrets make it invalid; the reason might quote one; with placeholders for them: "
        return InvalidConfigError(template_id, reason + instead)
    error.report = _shown_report(error.report, other.report)
    return error


def _shown_report(lines: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    shown = tuple(line for line in lines if line in others)
    hidden = len(lines) - len(shown)
    return (*shown, f"lines that are not shown, as they may quote a secret: {hidden}") if hidden else shown
