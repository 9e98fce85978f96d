"""Machines that boot from a server on 127.0.0.1: thousands in one thread, which takes little of a processor."""

import heapq
import select
import socket
import time
from collections.abc import Sequence

from matchboxctl.plan.service import syn_again

_READ = 65_536
_STARTS_AT_ONCE = 16


class Machines:
    """Machines that make their requests one after the other, each from an address of its own, until all have ended.

    Like iPXE at a server that does not promise to keep a connection, they open one for each request, send SYN again
    while nobody answers, and fail after the last. `booted` are the seconds from the beginning of the storm, in order.
    Exits on any response but 200.
    """

    def __init__(self, port: int, requests: Sequence[Sequence[bytes]], starts: Sequence[float]) -> None:
        self.booted: list[float] = []
        self.refused = self.failed = 0
        self._server = ("127.0.0.1", port)
        self._left = [[*each][::-1] for each in requests]
        self._open: dict[int, tuple[int, socket.socket, bytearray]] = {}
        # Of each SYN: time, machine, how many were sent before.
        self._due = [(at, number, 0) for number, at in enumerate(starts)]
        heapq.heapify(self._due)
        self._begin = time.perf_counter()
        with select.epoll() as self._poll:
            while self._due or self._open:
                self._turn()

    def _turn(self) -> None:
        for _ in range(_STARTS_AT_ONCE):
            if not self._due or self._due[0][0] > self._now():
                break
            self._connect(*heapq.heappop(self._due)[1:])
        pause = max(0.0, self._due[0][0] - self._now()) if self._due else None
        for descriptor, _ in self._poll.poll(pause):
            self._read(*self._open[descriptor])

    def _now(self) -> float:
        return time.perf_counter() - self._begin

    def _connect(self, number: int, attempt: int) -> None:
        connection = socket.socket()
        connection.settimeout(0)
        connection.bind((f"127.1.{number >> 8}.{number & 255}", 0))
        # On this interface the response is there on return, if there is one.
        connection.connect_ex(self._server)
        try:
            connection.send(self._left[number][-1])
        except BlockingIOError:
            connection.close()
            self.refused += 1
            pause = syn_again(attempt)
            if pause is None:
                self.failed += 1
            else:
                heapq.heappush(self._due, (self._now() + pause, number, attempt + 1))
            return
        self._open[connection.fileno()] = number, connection, bytearray()
        self._poll.register(connection, select.EPOLLIN)

    def _read(self, number: int, connection: socket.socket, reply: bytearray) -> None:
        data = connection.recv(_READ)
        reply += data
        head, _, body = reply.partition(b"\r\n\r\n")
        if not data or not head.startswith(b"HTTP/1.1 200 "):
            raise SystemExit(f"{self._left[number][-1]!r}: {bytes(head)!r}")
        if len(body) < int(head.lower().partition(b"\ncontent-length:")[2].partition(b"\r")[0]):
            return
        del self._open[connection.fileno()]
        connection.close()
        self._left[number].pop()
        if self._left[number]:
            self._connect(number, 0)
        else:
            self.booted.append(self._now())
