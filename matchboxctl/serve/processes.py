"""The processes of `serve`, which share its address so that it uses more than one core."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import IO, NamedTuple

from matchboxctl.cli.ending import END_SECONDS, SIGNALS, EndSignals, exit_after
from matchboxctl.cli.errors import FailedError
from matchboxctl.serve.http_server import HttpServer
from matchboxctl.serve.listeners import Listener

_REST_SECONDS = 1.7
"""For the history and what runs beside the server, after the downloads."""


class Processes(NamedTuple):
    """The sockets of the first process, and the others, which end when `lifeline`, a pipe's write end, is closed."""

    listeners: Sequence[Listener]
    others: Sequence[BaseProcess]
    lifeline: IO[bytes]
    grace: float

    def run(self, server: HttpServer, ending: Sequence[Callable[[], object]] = ()) -> None:
        """Serve until SIGINT or SIGTERM, and end the other processes then. Raises FailedError if one of them ends.

        `ending` are called when the end begins, so that what they stop has the same time for it as downloads have. What
        still runs after that, in this process or in the others, is cut off.
        """
        # A file system that does not respond may hold this thread, and every signal to it.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        signals = EndSignals()
        ended: list[BaseProcess] = []
        try:
            asyncio.run(self._run(server, signals, ending, ended))
        finally:
            # What ends has its time, however often somebody asks; the interpreter resets other handlers as it exits.
            for number in SIGNALS:
                signal.signal(number, signal.SIG_IGN)
        if ended:
            raise FailedError("another process of serve ended: see the errors above")

    async def _run(
        self,
        server: HttpServer,
        signals: EndSignals,
        ending: Sequence[Callable[[], object]],
        ended: list[BaseProcess],
    ) -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()

        def end() -> None:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            signals.wait()
            exit_after(max(END_SECONDS, self.grace + _REST_SECONDS), FailedError.code if ended else 0)
            self.lifeline.close()
            for begin in ending:
                begin()
            with suppress(RuntimeError):
                # The loop may have been closed by an error.
                loop.call_soon_threadsafe(stop.set)

        def other_ended(process: BaseProcess) -> None:
            loop.remove_reader(process.sentinel)
            if not self.lifeline.closed:
                ended.append(process)
                signals.send()

        for process in self.others:
            loop.add_reader(process.sentinel, other_ended, process)
        Thread(target=end, name="end", daemon=True).start()
        await server.serve(self.listeners, stop)


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
        yield Processes(first, others, lifeline, grace)
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

    for number in SIGNALS:
        # A terminal sends them to all processes: the first one decides.
        loop.add_signal_handler(number, lambda: None)
    loop.add_reader(reading, end)
    await server.serve(listeners, stop)
