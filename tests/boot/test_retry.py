"""The script of `examples/ipxe` that retries, with a server that fails as a load balancer does."""

import http.client
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.boot.clients import boot
from tests.boot.dhcp_network import HOST
from tests.boot.fleet import INITRAMFS, named, write_data_directory
from tests.boot.networks import Servers
from tests.support.server_threads import in_thread
from tests.support.serving import LIMIT, serving

pytestmark = [pytest.mark.boot, pytest.mark.nightly]

SCRIPT = Path(__file__).parents[2] / "examples" / "ipxe" / "retry.ipxe"
NEW_IPXE = named("bios-ipxe-new")
FAILING = ("/boot.ipxe", "/ipxe", INITRAMFS)


@contextmanager
def failing_once(port: int) -> Iterator[tuple[int, Counter[str]]]:
    """A front of `serve` that refuses each path of FAILING once: its port, and how often each path was asked.

    iPXE has no script inside: it gets it first, instead of /boot.ipxe.
    """
    asked: Counter[str] = Counter()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            asked[path] += 1
            refused = asked[path] - (path == "/boot.ipxe") == 1 and path in FAILING
            if path == "/boot.ipxe" and asked[path] == 1:
                server = f"http://{HOST}:{self.server.server_address[1]}"
                inside = f"#!ipxe\nset boot-url {server}/boot.ipxe\n{SCRIPT.read_text()}".encode()
                self._respond(200, {}, inside)
            elif refused:
                self._respond(502, {}, b"<html>502 Bad Gateway</html>")
            else:
                self._respond(*self._relayed())

        def _relayed(self) -> tuple[int, dict[str, str], bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
            try:
                connection.request("GET", self.path, headers=dict(self.headers.items()))
                response = connection.getresponse()
                location = response.getheader("Location")
                return response.status, {"Location": location} if location else {}, response.read()
            finally:
                connection.close()

        def _respond(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, *_: object) -> None:
            pass

    with in_thread(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        yield server.server_port, asked


def test_machine_retries_any_step_until_it_boots(tmp_path: Path) -> None:
    data, scratch = tmp_path / "data", tmp_path / "machine"
    scratch.mkdir()
    data.mkdir()
    with serving(data) as port, failing_once(port) as (front, asked):
        write_data_directory(data, NEW_IPXE, front)
        result = boot(NEW_IPXE.client, Servers(front), NEW_IPXE.machine, scratch)
    assert NEW_IPXE.configuration == result.configuration, result.console
    assert [len(FAILING) + 2, len(FAILING), 2] == [asked[path] for path in FAILING]
