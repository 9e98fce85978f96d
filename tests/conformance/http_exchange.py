"""A recorded request, byte for byte over HTTP."""

import socket

from tests.support.retry_on_503 import retry_on_503
from tests.conformance.recordings import Recording, Response


def exchange(port: int, recording: Recording, host: str = "matchbox.test") -> Response:
    """What the server on this port of 127.0.0.1 answers to the recording's request.

    It is asked again while the response is 503, which matchbox never gives: stores may be late on a busy machine.
    """
    return retry_on_503(lambda: _exchange(port, recording, host), lambda response: response.status)


def _exchange(port: int, recording: Recording, host: str) -> Response:
    lines = [f"{recording.method} {recording.target} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in recording.headers.items()]
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    status, *fields = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    return Response(int(status.split()[1]), headers, body)
