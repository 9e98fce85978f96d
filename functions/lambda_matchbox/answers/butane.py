"""A Butane config as a machine is answered: in matchbox's form, with no word of what stands in it."""

from collections.abc import Callable

from lambda_matchbox.ignition.butane.report import ButaneError, masked_lines
from lambda_matchbox.ignition.butane.translation import translate
from lambda_matchbox.ignition.config.fault import struct, text
from lambda_matchbox.ignition.config.parse import minor_of, served_form
from lambda_matchbox.ignition.config.reader import MismatchError
from lambda_matchbox.ignition.errors import IgnitionError


def served(source: bytes, tell: Callable[[str], None]) -> bytes:
    """The Ignition config for the Butane config `source`, at its own version, but 3.4.0 at least.

    As with matchbox there is no files directory. `tell` is told the lines of the report.

    Raises:
        IgnitionError: it is not translated, the first reason; or Ignition has not released the version of the config.
    """
    try:
        ignition, report = translate(source)
    except ButaneError as error:
        for line in error.lines:
            tell(line)
        more = sum(not line.startswith("warning") for line in error.lines) - 1
        others = f" (and {more} more)" if more > 0 else ""
        raise IgnitionError(error.lines[0].removeprefix("error at ") + others) from None
    for line in masked_lines(report):
        tell(line)
    try:
        minor = minor_of(text(struct(ignition, "ignition"), "version"))
    except MismatchError as error:
        raise IgnitionError(str(error)) from None
    # Ignition's rules are checked by the translation.
    return served_form(ignition, minor)
