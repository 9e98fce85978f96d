"""Every recorded answer, over HTTP from `matchboxctl serve` in directory mode."""

import socket
from collections.abc import Iterator

import pytest

from tests.conformance.recordings import HERE, SUITES, Recording, Response, assert_reproduced, recordings
from tests.serving import serving


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield {suite: stack.enter_context(serving(HERE / suite / "data")) for suite in SUITES}


@pytest.mark.parametrize("recording", recordings(), ids=lambda recording: recording.name)
def test_a_recorded_answer_is_reproduced(recording: Recording, ports: dict[str, int]) -> None:
    """The target goes out byte for byte; status, headers and body are matchbox's."""
    assert_reproduced(recording, _exchange(ports[recording.suite], recording))


def _exchange(port: int, recording: Recording) -> Response:
    lines = [f"{recording.method} {recording.target} HTTP/1.1", "Host: matchbox.test", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in recording.headers.items()]
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    status, *fields = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    return Response(int(status.split()[1]), headers, body)
