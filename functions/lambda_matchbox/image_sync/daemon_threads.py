"""Work in threads that do not keep an interrupted process from ending."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Thread
from typing import TypeVar

_Item = TypeVar("_Item")


def in_daemon_threads(work: Callable[[_Item], object], items: Iterable[_Item], number: int) -> None:
    """Call `work` for all items, in so many threads. Raises the first error, after which no other call begins."""
    waiting = list(items)
    errors: list[BaseException] = []

    def run() -> None:
        with suppress(IndexError):
            while not errors:
                item = waiting.pop(0)
                try:
                    work(item)
                except BaseException as error:  # noqa: BLE001 (the caller raises it)
                    errors.append(error)

    threads = [Thread(target=run, daemon=True) for _ in range(min(number, len(waiting)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
