"""Why there is no response, in words without names of classes."""

import socket
import threading
from contextlib import closing

import pytest

from lambda_matchbox.oci.distribution.origins import parse_location
from lambda_matchbox.oci.distribution.registry_http import RegistryHttp
from lambda_matchbox.oci.distribution.retries import RetryPolicy, TransientError

pytestmark = pytest.mark.system


def failure(url: str) -> str:
    http = RegistryHttp(RetryPolicy(connect_timeout=5, read_timeout=0.3))
    with closing(http), pytest.raises(TransientError) as caught:
        http.get(parse_location(url), "manifest", {}).body.read_all(100)
    return str(caught.value)


@pytest.mark.parametrize(
    ("sent", "closes", "why"),
    [
        (b"", True, "no response from HOST: the connection was closed without a response"),
        (b"hello\r\n\r\n", True, "no response from HOST: what it sends is not HTTP"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab",
            True,
            "the response of HOST breaks off: the connection was closed after 2 bytes, 8 before the end",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab",
            False,
            "the response of HOST breaks off: nothing arrives within the time limit",
        ),
    ],
)
def test_broken_responses(sent: bytes, closes: bool, why: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = threading.Event()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(sent)
                if not closes:
                    done.wait(60)

        server = threading.Thread(target=serve)
        server.start()
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        said = failure(f"http://{host}/")
        done.set()
        server.join()
    assert f"manifest: {why.replace('HOST', host)}" == said


def test_refused_connection_and_unknown_name() -> None:
    assert "manifest: no response from 127.0.0.1:1: connection refused" == failure("http://127.0.0.1:1/")
    said = failure("https://no-such-host.invalid/")
    assert said.startswith("manifest: no response from no-such-host.invalid: the name cannot be resolved: ")
    assert "Connection(" not in said
