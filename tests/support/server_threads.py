"""Servers in threads of the test's process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseServer
from typing import TypeVar

_Server = TypeVar("_Server", bound=BaseServer)


@contextmanager
def in_thread(server: _Server) -> Iterator[_Server]:
    """The server, which answers until it is left, and is closed then."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name=type(server).__name__)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
