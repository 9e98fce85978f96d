"""`matchboxctl machine watch`: events as they come."""

import json
from time import sleep, time_ns

from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.events import Event
from lambda_matchbox.machines.history import Record
from lambda_matchbox.machines.history_stores import Wanted, Watch
from matchboxctl.cli.output import json_for_terminal, print_text
from matchboxctl.cli.tables import shown
from matchboxctl.cli.warnings import Warnings
from matchboxctl.machines.event_texts import clock, event_document, event_text
from matchboxctl.machines.opened_stores import OpenedStores

_INTERVAL = 0.5


def watch(opened: OpenedStores, state: str, output: str) -> None:
    """Print a line for each event until the operator interrupts it. Raises FailedError."""
    start = time_ns() // 1_000_000
    warnings, problem = Warnings(), ""
    with opened.history.required() as history:
        found = Watch(history, Wanted(state, since=start))
        while True:
            try:
                come = sorted(found.poll(time_ns() // 1_000_000), key=lambda pair: pair[1])
                problem = ""
            except StoreUnavailableError as error:
                come = []
                if str(error) != problem:
                    problem = str(error)
                    warnings.warn(f"warning: {problem}; it is tried again")
            for record, event in come:
                print_text(_line(record, event, output))
            sleep(_INTERVAL)


def _line(record: Record, event: Event, output: str) -> str:
    machine = record.identities
    name = machine.keys[0].partition(":")[2]
    if output == "json":
        named = {one: value or None for one, value in machine._asdict().items()}
        document = {"id": name, **named, **event_document(event)}
        return json_for_terminal(json.dumps(document, ensure_ascii=False)) + "\n"
    return shown(f"{clock(event.time)}  {name}  {event.address or '-':15}  {event_text(event)}") + "\n"
