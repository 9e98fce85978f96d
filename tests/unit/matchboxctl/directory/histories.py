"""Events of a machine in history.sqlite."""

from lambda_matchbox.machines.events import Event
from lambda_matchbox.machines.history_stores import History
from matchboxctl.directory.history_file import DirectoryHistory

MAC = "52:54:00:12:34:56"


def event(time: int, mac: str = MAC) -> Event:
    return Event(time, "request", "/ipxe", mac)


def times(store: DirectoryHistory, mac: str = MAC) -> list[int]:
    history = History(store)
    record = history.machine(f"mac:{mac}")
    return [] if record is None else [each.time for each in history.events(record, 0)]
