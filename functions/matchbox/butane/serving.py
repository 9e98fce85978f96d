"""A Butane config as a machine is answered: in matchbox's form, with no word of what stands in it."""

from collections.abc import Callable

from matchbox.butane.report import ButaneError, masked_lines
from matchbox.butane.translation import translate
from matchbox.go_json import encode
from matchbox.ignition_config.parse import parse_and_translate
from matchbox.ignition_error import IgnitionError


def served(source: bytes, tell: Callable[[str], None]) -> bytes:
    """The Ignition config for the Butane config `source`, at its own version, but 3.4.0 at least.

    As with matchbox there is no files directory. `tell` is told the lines of the report.

    Raises:
        IgnitionError: it is not translated; the first reason.
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
    return parse_and_translate(encode(ignition))
