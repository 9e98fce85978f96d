"""The processes of `serve`, which share its address so that it uses more than one core."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import IO, NamedTuple

from matchboxctl.cli.errors import FailedError
from matchboxctl.serve.http_server import HttpServer
from matchboxctl.serve.listeners import Listener


class Processes(NamedTuple):
    """The sockets of the first process, and the others, which end when `lifeline`, a pipe's write end, is closed."""

    listeners: Sequence[Listener]
    others: Sequence[BaseProcess]
    lifeline: IO[bytes]

    def run(self, server: HttpServer, ending: Sequence[Callable[[], object]] = ()) -> None:
        """Serve until SIGINT or SIGTERM, and end the other processes then. Raises FailedError if one of them ends.

        `ending` are called when the end begins, so that what they stop has the same time for it as downloads have.
        """
        early: list[int] = []
        for number in (signal.SIGINT, signal.SIGTERM):
            # An exception while the loop starts could leave its first task where nothing runs it, and no end.
            signal.signal(number, lambda number, _: early.append(number))
        try:
            ended = asyncio.run(self._run(server, early, ending))
        finally:
            # What ends has its time, however often somebody asks.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
        if ended:
            raise FailedError("another process of serve ended: see the errors above")

    async def _run(self, server: HttpServer, early: Sequence[int], ending: Sequence[Callable[[], object]]) -> bool:
        loop = asyncio.get_running_loop()
        ended: list[int] = []
        stop = asyncio.Event()

        def end(process: BaseProcess | None = None) -> None:
            if not stop.is_set():
                stop.set()
                self.lifeline.close()
                for begin in ending:
                    begin()
                ended.extend([] if process is None else [process.sentinel])
            if process is not None:
                loop.remove_reader(process.sentinel)

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, end)
        if early:
            end()
        for process in self.others:
            loop.add_reader(process.sentinel, end, process)
        await server.serve(self.listeners, stop)
        return bool(ended)


@contextmanager
def processes(
    listeners: Sequence[Sequence[Listener]], server: Callable[[], HttpServer], grace: float
) -> Iterator[Processes]:
    """Fork a process for the sockets of each but the first, which serves there until this one ends.

    Its downloads have the seconds of grace then. No thread may run yet.
    """
    reading, writing = os.pipe()
    lifeline = os.fdopen(writing, "wb")
    fork = multiprocessing.get_context("fork")
    first, *rest = listeners
    others = [
        fork.Process(target=_serve, args=(server, own, listeners, reading, lifeline), daemon=True) for own in rest
    ]
    for process in others:
        process.start()
    os.close(reading)
    _close(rest)
    try:
        yield Processes(first, others, lifeline)
    finally:
        lifeline.close()
        for process in others:
            process.join(grace + 1)
            process.kill()


def _serve(
    server: Callable[[], HttpServer],
    own: Sequence[Listener],
    listeners: Sequence[Sequence[Listener]],
    reading: int,
    lifeline: IO[bytes],
) -> None:
    lifeline.close()
    _close([others for others in listeners if others is not own])
    asyncio.run(_until_closed(server(), own, reading))


def _close(listeners: Sequence[Sequence[Listener]]) -> None:
    # A socket that is open anywhere still takes connections.
    for of_a_process in listeners:
        for listener in of_a_process:
            listener.socket.close()


async def _until_closed(server: HttpServer, listeners: Sequence[Listener], reading: int) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def end() -> None:
        loop.remove_reader(reading)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        # A terminal sends them to all processes: the first one decides.
        loop.add_signal_handler(number, lambda: None)
    loop.add_reader(reading, end)
    await server.serve(listeners, stop)
