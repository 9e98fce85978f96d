"""The client that the guests use for Talos: what is known of Talos's own, on files and a server of the test."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.boot.guest import talos_client
from tests.rigs.go_toolchain import go_platform
from tests.support.server_threads import in_thread
from tests.support.serving import LIMIT

pytestmark = [pytest.mark.boot, pytest.mark.nightly]

FILES = {
    "sys/class/dmi/id/product_uuid": "6b9f1f2e-03c5-4d1a-9a57-000000000001\n",
    "sys/class/dmi/id/product_serial": "SN 1&2\n",
    "sys/class/net/eth0/address": "52:54:00:ab:cd:01\n",
    "proc/sys/kernel/hostname": "(none)\n",
}
UUID, MAC = FILES["sys/class/dmi/id/product_uuid"].strip(), "52%3A54%3A00%3Aab%3Acd%3A01"
REASON = b"it waits for approval, and what follows is not shown"


@contextmanager
def responding(*responses: tuple[int, bytes]) -> Iterator[tuple[int, list[str]]]:
    """A server with these responses, one after the other: its port, and the requests, which gain a line with each."""
    left, requests = list(responses), list[str]()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.requestline)
            status, body = left.pop(0)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, *_: object) -> None:
            pass

    with in_thread(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        yield server.server_port, requests


def downloaded(root: Path, address: str) -> subprocess.CompletedProcess[bytes]:
    for name, text in {**FILES, "proc/cmdline": f"quiet talos.config={address} panic=1\n"}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    program = talos_client(go_platform().partition("_")[2])
    return subprocess.run([program, root], capture_output=True, timeout=LIMIT, check=True)


@pytest.mark.parametrize(
    ("target", "requested"),
    [
        ("/ignition?uuid=1&mac=a:b", "/ignition?uuid=1&mac=a:b"),
        ("/ignition?uuid=${uuid}&mac=${mac}&a=b:c", f"/ignition?a=b%3Ac&mac={MAC}&uuid={UUID}"),
        ("/ignition?z=1&serial=${serial}", "/ignition?serial=SN+1%262&z=1"),
        ("/ignition?h=${hostname}&c=${code}&${uuid}=1", "/ignition?h=${hostname}&c=${code}&${uuid}=1"),
        ("/ignition?uuid=${uuid}&c=${code}", f"/ignition?c=%24%7Bcode%7D&uuid={UUID}"),
        ("/${uuid}?uuid=${uuid}", f"/$%7Buuid%7D?uuid={UUID}"),
    ],
)
def test_variables_of_values_are_replaced_and_then_the_query_is_encoded_anew(
    target: str, requested: str, tmp_path: Path
) -> None:
    with responding((200, b"it")) as (port, requests):
        assert b"it" == downloaded(tmp_path, f"http://127.0.0.1:{port}{target}").stdout
    assert [f"GET {requested} HTTP/1.1"] == requests


@pytest.mark.parametrize("last", [200, 204])
def test_every_other_status_is_tried_again_and_redirects_are_followed(last: int, tmp_path: Path) -> None:
    body = b"it" if last == 200 else b""
    with responding((404, b""), (503, REASON), (302, b""), (last, body)) as (port, requests):
        ended = downloaded(tmp_path, f"http://127.0.0.1:{port}/ignition?uuid=1")
    assert body == ended.stdout
    assert [*["GET /ignition?uuid=1 HTTP/1.1"] * 3, "GET /elsewhere HTTP/1.1"] == requests
    assert f'retrying: status 503: "{REASON[:32].decode()}"\n'.encode() in ended.stderr
