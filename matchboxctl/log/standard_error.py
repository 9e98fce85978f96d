"""The log of a server on standard error."""

import os
import sys

from lambda_matchbox.web.access_log import SERVICE
from lambda_matchbox.web.json_log import JsonLog
from lambda_matchbox.web.line_log import LineLog
from matchboxctl.log.settings import LogSettings
from matchboxctl.log.terminal_log import TerminalLog


def standard_error_log(settings: LogSettings, service: str = SERVICE) -> LineLog:
    """The log with these settings; colours are for a terminal, unless NO_COLOR is set."""
    is_terminal = sys.stderr.isatty()
    if settings.format == "json" or not (settings.format or is_terminal):
        return JsonLog(settings.level, sys.stderr, service)
    coloured = is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return TerminalLog(settings.level, sys.stderr, coloured=coloured)
