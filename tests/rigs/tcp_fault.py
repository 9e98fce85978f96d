"""A proxy on 127.0.0.1 that makes the service behind it slow, silent, refusing or failing, switchable at any time.

It speaks plain HTTP/1.1, keeps connections to clients alive, relays heads and bodies as they come and leaves the
Host field alone, so signatures stay valid and presigned URLs made for the proxy's address work through it.
"""

import json
import select
import socket
import threading
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from tests.rigs.faults import Delay, Fault, Hang, PassThrough, Refuse, Respond, Withhold
from tests.rigs.http_wire import Head, copy_request_body, copy_response_body, read_head, unchunked

LOOPBACK = "127.0.0.1"
CONNECT_TIMEOUT = 10.0
"""Seconds the service behind may take to accept a connection."""


class FaultProxy:
    """A running proxy; made by `fault_proxy`."""

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname or LOOPBACK, parts.port or 80)
        self._changed = threading.Condition()
        self._fault: Fault = PassThrough()
        self._left: int | None = None
        self._switches = 0
        self._requests: Counter[str] = Counter()
        self._open: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._listener = _bound(0)
        self._port = int(self._listener.getsockname()[1])
        self._accept()

    @property
    def endpoint(self) -> str:
        """Where it listens: `http://127.0.0.1:PORT`."""
        return f"http://{LOOPBACK}:{self._port}"

    def switch(self, fault: Fault, times: int | None = None) -> None:
        """Treat requests with `fault` from now on, or only the next `times` of them and pass the rest through.

        With `Withhold` only BatchGetItem counts as a request. Connections on which a request hangs are cut.
        Raises ValueError for a limited `Refuse`, which never sees a request.
        """
        if isinstance(fault, Refuse) and times is not None:
            raise ValueError("connections that are refused cannot be counted: switch back instead")
        refused, refuses = isinstance(self._fault, Refuse), isinstance(fault, Refuse)
        with self._changed:
            self._fault, self._left = fault, times
            self._switches += 1
            self._changed.notify_all()
        if refuses and not refused:
            self._stop_accepting()
            self._cut()
            # Bound without listening, the port refuses connections and stays reserved.
            self._listener = _bound(self._port)
        elif refused and not refuses:
            self._accept()

    def requests(self) -> Counter[str]:
        """How many requests arrived so far, failed ones too.

        By DynamoDB's operation (`GetItem`), and by method (`PUT`) where there is none.
        """
        with self._changed:
            return self._requests.copy()

    def forget_requests(self) -> None:
        """Count from zero again."""
        with self._changed:
            self._requests.clear()

    def close(self) -> None:
        """Stop listening and cut all connections."""
        if isinstance(self._fault, Refuse):
            self._listener.close()
        else:
            self.switch(Refuse())
            self._listener.close()
        for thread in self._alive():
            thread.join()

    def _accept(self) -> None:
        self._listener.listen(128)
        self._wake, woken = socket.socketpair()
        self._acceptor = threading.Thread(target=self._accept_all, args=(self._listener, woken), name="fault proxy")
        self._acceptor.start()

    def _stop_accepting(self) -> None:
        self._wake.close()
        self._acceptor.join()

    def _accept_all(self, listener: socket.socket, woken: socket.socket) -> None:
        with listener, woken:
            while woken not in select.select([listener, woken], [], [])[0]:
                client, _ = listener.accept()
                if not self._register(client):
                    continue
                thread = threading.Thread(target=self._converse, args=(client,), name="fault proxy connection")
                thread.start()
                self._threads = {*self._alive(), thread}

    def _alive(self) -> set[threading.Thread]:
        return {thread for thread in self._threads if thread.is_alive()}

    def _register(self, connection: socket.socket) -> bool:
        """Remember what to cut; False, with the connection closed, when all have just been cut."""
        with self._changed:
            if isinstance(self._fault, Refuse):
                connection.close()
                return False
            self._open.add(connection)
            return True

    def _release(self, connection: socket.socket) -> None:
        with self._changed:
            self._open.discard(connection)
            connection.close()

    def _cut(self) -> None:
        with self._changed:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _converse(self, client: socket.socket) -> None:
        """Respond to the requests of one client until either side has enough."""
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A cut or broken connection is what a proxy hands on by ending the other one.
        with suppress(OSError):
            try:
                with client.makefile("rb") as stream:
                    while (head := read_head(stream)) is not None and self._treat(head, client, stream):
                        pass
            finally:
                self._release(client)

    def _treat(self, head: Head, client: socket.socket, stream: BinaryIO) -> bool:
        """Respond to one request; whether the connection lives on."""
        if (head.field("expect") or "").lower() == "100-continue":
            client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            head = head.without("expect")
        operation = (head.field("x-amz-target") or head.method).rpartition(".")[2]
        fault, switches = self._next_fault(operation)
        match fault:
            case Hang():
                copy_request_body(head, stream, len)
                with self._changed:
                    self._changed.wait_for(lambda: self._switches != switches)
                return False
            case Respond():
                copy_request_body(head, stream, len)
                client.sendall(_respond(fault, head.method))
                return not head.closes()
            case Withhold(keys) if operation == "BatchGetItem":
                return self._withhold(head, client, stream, keys)
            case Delay(seconds):
                return self._relay(head, client, stream, seconds)
            case _:
                return self._relay(head, client, stream, 0)

    def _next_fault(self, operation: str) -> tuple[Fault, int]:
        with self._changed:
            self._requests[operation] += 1
            fault, switches = self._fault, self._switches
            concerned = operation == "BatchGetItem" or not isinstance(fault, Withhold)
            if isinstance(fault, Respond) and fault.only not in ("", operation):
                return PassThrough(), switches
            if self._left is not None and concerned:
                self._left -= 1
                if self._left <= 0:
                    self._fault, self._left = PassThrough(), None
            return fault, switches

    @contextmanager
    def _upstream_connection(self) -> Iterator[tuple[socket.socket, BinaryIO]]:
        """A new connection to the service: one that was kept might have been closed there meanwhile."""
        upstream = socket.create_connection(self._upstream, CONNECT_TIMEOUT)
        upstream.settimeout(None)
        upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self._register(upstream):
            raise ConnectionAbortedError("cut while it was made")
        try:
            with upstream.makefile("rb") as stream:
                yield upstream, stream
        finally:
            self._release(upstream)

    def _relay(self, head: Head, client: socket.socket, stream: BinaryIO, delay: float) -> bool:
        with self._upstream_connection() as (upstream, responses):

            def send(piece: bytes) -> None:
                # A service may respond and close before it has the whole body; that response is what counts.
                with suppress(BrokenPipeError, ConnectionResetError):
                    upstream.sendall(piece)

            send(head.encode())
            copy_request_body(head, stream, send)
            response = _final_head(responses)
            if delay > 0:
                with self._changed:
                    self._changed.wait_for(lambda: isinstance(self._fault, Refuse), delay)
            client.sendall(response.encode())
            delimited = copy_response_body(response, head.method, responses, client.sendall)
            return delimited and not head.closes() and not response.closes()

    def _withhold(self, head: Head, client: socket.socket, stream: BinaryIO, keys: int) -> bool:
        sent = bytearray()
        copy_request_body(head, stream, sent.extend)
        call = json.loads(unchunked(head, bytes(sent)))
        withheld = _take_keys(call["RequestItems"], keys)
        with self._upstream_connection() as (upstream, responses):
            # A response that is to be changed must not be compressed.
            upstream.sendall(_with_json(head.without("accept-encoding"), call))
            response = _final_head(responses)
            got = bytearray()
            copy_response_body(response, head.method, responses, got.extend)
        if response.status == 200:
            content = json.loads(unchunked(response, bytes(got)))
            unprocessed = content.setdefault("UnprocessedKeys", {})
            for table, wanted in withheld.items():
                unprocessed.setdefault(table, {**wanted, "Keys": []})["Keys"].extend(wanted["Keys"])
            client.sendall(_with_json(response, content))
        else:
            client.sendall(response.encode() + got)
        return not head.closes() and not response.closes()


@contextmanager
def fault_proxy(upstream: str) -> Iterator[FaultProxy]:
    """A proxy in front of `upstream` (`http://HOST:PORT`) on a free port of 127.0.0.1, passing through at first."""
    with closing(FaultProxy(upstream)) as proxy:
        yield proxy


def _bound(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((LOOPBACK, port))
    return listener


def _final_head(stream: BinaryIO) -> Head:
    """The head of the response proper, after any interim ones."""
    while (head := read_head(stream)) is not None:
        if head.status >= 200:
            return head
    raise ConnectionError("the service ended the connection without a response")


def _respond(fault: Respond, method: str) -> bytes:
    fields = ((b"Content-Type", fault.content_type.encode()), (b"Content-Length", b"%d" % len(fault.body)))
    head = Head(f"HTTP/1.1 {fault.status} {fault.reason}".encode(), fields)
    return head.encode() + (b"" if method == "HEAD" else fault.body)


def _with_json(head: Head, content: dict[str, Any]) -> bytes:
    """A message with other content: its length and, where it had one, DynamoDB's checksum of it renewed."""
    body = json.dumps(content, separators=(",", ":")).encode()
    head = head.without("transfer-encoding").with_field("Content-Length", str(len(body)))
    if head.field("x-amz-crc32") is not None:
        head = head.with_field("x-amz-crc32", str(zlib.crc32(body)))
    return head.encode() + body


def _take_keys(tables: dict[str, Any], count: int) -> dict[str, Any]:
    """Remove up to `count` keys from the end of a BatchGetItem's RequestItems, never all; what was removed."""
    taken: dict[str, Any] = {}
    spare = sum(len(wanted["Keys"]) for wanted in tables.values()) - 1
    for table, wanted in reversed(list(tables.items())):
        number = min(count, spare, len(wanted["Keys"]))
        if number > 0:
            taken[table] = {**wanted, "Keys": wanted["Keys"][-number:]}
            del wanted["Keys"][-number:]
            if not wanted["Keys"]:
                del tables[table]
            count, spare = count - number, spare - number
    return taken
