"""The access log: one line for each request, with what its query says of the machine, and nothing of its response."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

from lambda_matchbox.golang.http.paths import to_bytes
from lambda_matchbox.http import Request
from lambda_matchbox.log_levels import INFO, WARNING

MACHINE_LABELS = ("mac", "uuid", "serial", "arch", "hostname", "domain")
"""The labels that the log shows."""

REQUEST = "request"
"""The message of each line."""

SERVICE = "boot_api"
"""The field `service` of each line, and that dimension of each metric."""

_TOKEN_LETTERS, _TOKEN_DIGITS = 6, 12
_MAX_RELEASE = 255
_MAX_REPORT_LINES = 50
_MAX_LABELS = 10
_MAX_NAME = 64
_TOKEN = re.compile(r"""(token(?:=|%(?:25)*3d))[^&\s"']+""", re.IGNORECASE)


class Log(Protocol):
    """A logger of the standard library or of Powertools."""

    def info(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None:
        """Log at level INFO."""

    def warning(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None:
        """Log at level WARNING."""

    def error(
        self,
        msg: object,
        *args: object,
        extra: Mapping[str, object] | None = None,
        exc_info: BaseException | None = None,
    ) -> None:
        """Log at level ERROR."""

    def exception(self, msg: object, *args: object) -> None:
        """Log at level ERROR, with the exception that is handled."""


class AccessLogFields(NamedTuple):
    """A request's route, group and profile, and the outcome: status, log level, and the reason of an error.

    `group` and `profile` are None where they mean nothing, as of an asset. `labels` are those of the query,
    `release` is the one that the script's or the request's addresses name. `token` is that of the gate, `verdict`
    its verdict, `state` the machine's after it, `reported` the state that an installer reported. `report` has Butane's
    lines on a config that was translated, `ignored_labels` the names of labels that count as absent because a response
    may not show them.
    """

    route: str = ""
    group: str | None = ""
    profile: str | None = ""
    labels: Mapping[str, str] = MappingProxyType({})
    release: str = ""
    token: str = ""
    verdict: str = ""
    state: str = ""
    reported: str = ""
    status: int = 0
    level: int = INFO
    reason: str = ""
    report: tuple[str, ...] = ()
    ignored_labels: tuple[str, ...] = ()


def log_request(log: Log, request: Request, found: AccessLogFields, seconds: float) -> None:
    """Write the line."""
    fields: dict[str, object] = {
        "route": found.route,
        "method": request.method,
        "path": request.path,
        "status": found.status,
        "milliseconds": round(seconds * 1_000_000) / 1000,
        "client": request.client_address,
        "user_agent": request.headers.get("user-agent", ""),
    }
    if found.group is not None:
        fields["group"] = found.group
    if found.profile is not None:
        fields["profile"] = found.profile
    for name in MACHINE_LABELS:
        if value := found.labels.get(name):
            fields[name] = value
    if found.release:
        fields["release"] = found.release[:_MAX_RELEASE]
    if found.verdict:
        fields |= _of_the_gate(found)
    if found.reason:
        fields["reason"] = found.reason
    if found.ignored_labels:
        fields["ignored_labels"] = [_loggable(_name(one)) for one in _first(found.ignored_labels, _MAX_LABELS)]
    if found.report:
        fields["butane"] = [_loggable(line) for line in _first(found.report, _MAX_REPORT_LINES)]
    # Each machine waits for this, and most have nothing to replace.
    texts = [value for value in fields.values() if isinstance(value, str)]
    if _loggable(joined := "\n".join(texts)) != joined:
        fields = {name: _loggable(value) if isinstance(value, str) else value for name, value in fields.items()}
    write = log.info if found.level == INFO else log.warning if found.level == WARNING else log.error
    write(REQUEST, extra=fields)


def _of_the_gate(found: AccessLogFields) -> dict[str, object]:
    """The verdict, what was reported, and enough of a token to recognise it, not enough to use it."""
    fields: dict[str, object] = {"verdict": found.verdict}
    if found.state:
        fields["state"] = found.state
    if found.reported:
        fields["reported"] = found.reported
    if found.token:
        digest = hashlib.sha256(found.token.encode()).hexdigest()
        fields["token"] = f"{found.token[:_TOKEN_LETTERS]}... {digest[:_TOKEN_DIGITS]}"
    return fields


def without_tokens(text: str) -> str:
    """The text with `***` for the value of each `token=`, also where it is percent-encoded."""
    return _TOKEN.sub(r"\1***", text) if "=" in text or "%" in text else text


def _first(lines: Sequence[str], most: int) -> list[str]:
    """The first lines, and how many more there are."""
    more = len(lines) - most
    return [*lines[:most], *([f"and {more} more"] if more > 0 else [])]


def _name(label: str) -> str:
    """The beginning of a label's name as in a query."""
    from urllib.parse import quote

    return quote(to_bytes(label[:_MAX_NAME]), safe=" ")


def _loggable(text: str) -> str:
    """The text without tokens, and without lone surrogates, for which a stream would refuse the whole line."""
    return without_tokens(text if text.isascii() else to_bytes(text).decode("utf-8", "replace"))
