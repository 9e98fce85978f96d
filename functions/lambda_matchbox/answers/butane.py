"""A Butane config as /ignition serves it: translated to an Ignition config in matchbox's form."""

from lambda_matchbox.answers.errors import InvalidConfigError
from lambda_matchbox.http import Response
from lambda_matchbox.ignition.butane.report import ButaneError, masked_lines
from lambda_matchbox.ignition.butane.translation import translate
from lambda_matchbox.ignition.config.parse import minor_of, served_form
from lambda_matchbox.ignition.config.reader import MismatchError, struct, text


def respond(template_id: str, source: bytes) -> Response:
    """The Ignition config for the Butane config `source`, at its own version, but 3.4.0 at least, with Butane's report.

    As with matchbox there is no files directory. The report shows no value of the config.

    Raises InvalidConfigError, with the report, for a config that Butane refuses, or whose version Ignition has not
    released.
    """
    try:
        ignition, report = translate(source)
    except ButaneError as error:
        more = sum(not line.startswith("warning") for line in error.lines) - 1
        others = f" (and {more} more)" if more > 0 else ""
        raise _refused(template_id, error.lines[0].removeprefix("error at ") + others, tuple(error.lines)) from None
    lines = tuple(masked_lines(report))
    try:
        minor = minor_of(text(struct(ignition, "ignition"), "version"))
    except MismatchError as error:
        raise _refused(template_id, str(error), lines) from None
    # The translation has checked Ignition's rules.
    return Response.of(served_form(ignition, minor), "application/json", report=lines)


def _refused(template_id: str, reason: str, report: tuple[str, ...]) -> InvalidConfigError:
    return InvalidConfigError(template_id, f"what it renders is a Butane config that is refused: {reason}", report)
