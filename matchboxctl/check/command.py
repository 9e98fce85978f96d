"""`matchboxctl check`: the boots of machines from a running matchbox, followed to the last file."""

import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from matchboxctl.check.boot import Boot, Clients, boot_script
from matchboxctl.check.boot_client import BootClient, FetchError
from matchboxctl.check.downloads import Downloads
from matchboxctl.check.group_labels import GroupMachine, group_machines
from matchboxctl.check.report import Report
from matchboxctl.check.result import Result, Status
from matchboxctl.cli.arguments import parse_labels
from matchboxctl.cli.errors import CommandError, UsageError

if TYPE_CHECKING:
    from matchboxctl.store.mode import StoreSettings

# Installers follow signed addresses, whatever firmware can.
_INSTALLER = "curl/8 (matchboxctl check)"


class CheckOptions(NamedTuple):
    """Labels as KEY=VALUE, the client to act as until the kernel runs, `timeout` in seconds, and the format."""

    labels: Sequence[str]
    user_agent: str
    timeout: float
    output: str


class InterruptedCheckError(CommandError):
    """The operator ended the check."""

    code = 128 + signal.SIGINT


def check(url: str, options: CheckOptions, source: "Path | StoreSettings | None" = None) -> None:
    """Follow the boot of a machine with these labels from the matchbox at `url`, or of one of each group of `source`.

    Raises UsageError, and FailedError if something would stop a machine.
    """
    root, labels = server_root(url), _labels(options.labels)
    machines = [GroupMachine("", {})] if source is None else group_machines(source)
    report = Report(root, options.output)
    firmware, installer = (BootClient(agent, options.timeout) for agent in (options.user_agent, _INSTALLER))
    clients = Clients(firmware, Downloads(firmware), installer, Downloads(installer))
    try:
        sent = _boot_script(root, firmware, report)
        if sent is not None:
            _follow(root, machines, labels, clients, sent, report)
    except KeyboardInterrupt:
        raise InterruptedCheckError(report.interrupted(len(machines))) from None
    report.end()


def server_root(url: str) -> str:
    """The address without a trailing slash; it may be that of /boot.ipxe. Raises UsageError."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or parts.query or parts.fragment or parts.username is not None:
        raise UsageError(f"invalid address {url!r}: use one such as http://HOST or http://HOST:8080")
    return f"{parts.scheme}://{parts.netloc}{parts.path.removesuffix('/boot.ipxe').rstrip('/')}"


def _labels(given: Sequence[str]) -> dict[str, str]:
    """The labels, of which the first of a key counts. Raises UsageError."""
    labels: dict[str, str] = {}
    for key, value in parse_labels(given):
        labels.setdefault(key, value)
    return labels


def _boot_script(root: str, client: BootClient, report: Report) -> list[str] | None:
    """The labels that /boot.ipxe lets machines send; None if it fails."""
    start = time.perf_counter()
    try:
        query, result = boot_script(root, client), Result(Status.OK, "", "/boot.ipxe", "")
    except FetchError as error:
        query, result = None, Result(Status.FAILED, "", "/boot.ipxe", str(error))
    report.add_server(result._replace(seconds=time.perf_counter() - start))
    return None if query is None else [key for key, _ in parse_qsl(query, keep_blank_values=True)]


def _follow(
    root: str,
    machines: Iterable[GroupMachine],
    labels: Mapping[str, str],
    clients: Clients,
    sent: Sequence[str],
    report: Report,
) -> None:
    for machine in machines:
        known = {**labels, **machine.labels}
        report.begin(machine.group, known)
        if machine.beaten_by:
            reason = f"no machine is in it: group {machine.beaten_by} has the same selectors, and the smaller id"
            report.add(Result(Status.WARNING, "selector", "", reason))
            continue
        if unsent := [key for key in machine.labels if key not in sent]:
            reason = f"{', '.join(unsent)}: /boot.ipxe does not send this, so only a script of your own can"
            report.add(Result(Status.WARNING, "selector", "", reason))
        for result in Boot(root, known, clients).results():
            report.add(result)
