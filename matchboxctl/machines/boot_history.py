"""`matchboxctl machine history`: the boots of a machine, and what happened in each."""

from collections.abc import Iterator, Sequence
from typing import Any

from lambda_matchbox.machines.boots import Boot, boots
from lambda_matchbox.machines.events import SCRIPTS, Event
from lambda_matchbox.machines.history import Record
from lambda_matchbox.machines.identities import Identities
from matchboxctl.cli.errors import MissingError
from matchboxctl.cli.output import print_result
from matchboxctl.cli.tables import shown
from matchboxctl.machines.event_texts import clock, event_document, event_text, repeated, utc
from matchboxctl.machines.facts import rfc3339
from matchboxctl.machines.opened_stores import OpenedStores


def show_history(opened: OpenedStores, machine_id: str, since: int, output: str) -> None:
    """Print the boots since that moment. Raises UsageError, MissingError."""
    machine, state = opened.named(machine_id)
    record, found = boots_of(opened, machine, since)
    print_result(
        output, lambda: _document(machine if record is None else record.identities, found), lambda: _text(found)
    )
    if record is None and state is None:
        raise MissingError(f"{shown(machine_id)} was never seen, and nobody acted on it")
    if not found:
        raise MissingError(f"nothing of {shown(machine_id)} is recorded{' in this time' if since else ''}")


def boots_of(opened: OpenedStores, machine: Identities, since: int) -> tuple[Record | None, list[Boot]]:
    """What its history knows of the machine, and its boots since that moment. Raises FailedError."""
    with opened.history.required() as history:
        record = next(filter(None, map(history.machine, machine.keys)), None)
        return record, [] if record is None else list(boots(history.events(record, since)))


def _document(machine: Identities, found: Sequence[Boot]) -> dict[str, Any]:
    named = {name: value or None for name, value in machine._asdict().items()}
    return {"id": machine.keys[0].partition(":")[2], **named, "boots": [_boot(boot) for boot in found]}


def _boot(boot: Boot) -> dict[str, Any]:
    events = [event_document(event) for event in boot.events]
    return {"start": utc(boot.start), "release": boot.release or None, "events": events}


def _text(found: Sequence[Boot]) -> str:
    return "\n".join("".join(f"{line}\n" for line in _lines(boot)) for boot in found)


def _lines(boot: Boot) -> Iterator[str]:
    asked = [event for event in boot.events if event.kind == "request"]
    last: Event | None = asked[-1] if asked else None
    kind = "Boot" if any(event.what in SCRIPTS for event in asked) else "No boot script"
    facts = [f"{kind} {rfc3339(boot.start // 1000)}"]
    if last is not None:
        facts += [f"{name} {getattr(last, name)}" for name in ("group", "profile") if getattr(last, name)]
    yield shown(", ".join(facts))
    # On lines of their own: with their digests they are as long as a terminal is wide.
    yield from (f"release {shown(release)}" for release in boot.release.split(",") if release)
    width = max(len(event.address) for event in boot.events)
    for first, end, times in repeated(boot.events):
        more = f" (x{times} until {clock(end.time)})" if times > 1 else ""
        yield shown(f"  {clock(first.time)}  {first.address:{width}}  {event_text(first)}{more}")
