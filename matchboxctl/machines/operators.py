"""Who runs a command, and what the history keeps of it."""

import os
import pwd
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lambda_matchbox.environment import endpoint_url
from lambda_matchbox.machines.events import Event, command_event
from lambda_matchbox.machines.identities import Identities

if TYPE_CHECKING:
    from matchboxctl.machines.opened_stores import OpenedStores
    from matchboxctl.store.mode import StoreSettings

_BATCH = 50
_SECONDS = 3


class CommandRecord:
    """The events of a command that acts on machines; it keeps none if the command has no name."""

    def __init__(self, opened: "OpenedStores", command: str) -> None:
        self._opened = opened
        self._command = command
        self._operator: str | None = None
        self._events: list[Event] = []

    def add(self, row: Mapping[str, Any], what: str) -> None:
        """The command did that to the machine, as which it is a document."""
        if not self._command:
            return
        if self._operator is None:
            self._operator = self._opened.operator()
        machine = Identities(*(row[name] or "" for name in Identities._fields))
        now, group = time.time_ns() // 1_000_000, row["group"] or ""
        event = command_event(now, self._command, machine, row["state"], self._operator, group, what)
        self._events.append(event._replace(profile=row["profile"] or ""))
        if len(self._events) == _BATCH:
            self.write()

    def write(self) -> None:
        """Write what was added."""
        events, self._events = self._events, []
        if events:
            self._opened.history.add(events)


@contextmanager
def recorded(opened: "OpenedStores", command: str) -> Iterator[CommandRecord]:
    """The record of a command, written also if the body fails."""
    record = CommandRecord(opened, command)
    try:
        yield record
    finally:
        record.write()


def local_operator() -> str:
    """The user, and with sudo the one who used it."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = str(os.getuid())
    by = os.environ.get("SUDO_USER", "")
    return f"{by} as {user}" if by not in ("", user) else user


def aws_operator(store: "StoreSettings") -> str:
    """The ARN of the credentials; the user where AWS cannot say it soon."""
    endpoint = endpoint_url(os.environ, "STS")
    if store.dynamodb_endpoint is not None and endpoint is None:
        # The table is on another server than AWS's, which knows no such credentials.
        return local_operator()
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    config = Config(
        connect_timeout=_SECONDS,
        read_timeout=_SECONDS,
        retries={"total_max_attempts": 1},
        ignore_configured_endpoint_urls=endpoint is None,  # type: ignore[call-arg]
    )
    try:
        client = store.session.client("sts", region_name=store.region, endpoint_url=endpoint, config=config)
        return str(client.get_caller_identity()["Arn"])
    except (BotoCoreError, ClientError):
        return local_operator()
