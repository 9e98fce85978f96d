"""A server like those of Flatcar and Fedora CoreOS, with releases that a key of the tests has signed."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from pysequoia import Cert, SignatureMode, Tsk, sign

from tests.support.server_threads import in_thread

_MB = 10**6
FEDORA = "https://builds.coreos.fedoraproject.org"


class Requested(NamedTuple):
    """A request: its path, and its header Range, empty for none."""

    path: str
    range: str


@cache
def key(name: str) -> Tsk:
    """A key of that name; its public part is what `public` gives."""
    return Tsk.generate(f"{name} <{name}@example.com>")


def public(*names: str) -> bytes:
    """The public keys in one file."""
    certificates: list[Cert] = [key(name).extract_certificate() for name in names]
    return "".join(map(str, certificates)).encode()


def signature(body: bytes, name: str) -> bytes:
    """A detached signature by the key of that name."""
    return sign(key(name).signer(), body, mode=SignatureMode.DETACHED, armor=False)


class ReleaseServer:
    """What is served, by path, and what was requested.

    Of a path in `cuts` the first response ends after that many bytes, and its connection is closed; of one in `stalls`
    it pauses there until `resume` is set, and all pause for `pause` seconds after each MB. `changes` are served in
    place of `files` after a cut.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[Requested] = []
        self.cuts: dict[str, int] = {}
        self.stalls: dict[str, int] = {}
        self.changes: dict[str, bytes] = {}
        self.resume = threading.Event()
        self.has_ranges = True
        self.pause = 0.0
        self.url = ""

    def requested(self, end: str) -> list[str]:
        """The Range of each request whose path ends like this."""
        return [each.range for each in self.requests if each.path.endswith(end)]

    def add_flatcar(self, version: str, bodies: Mapping[str, bytes], signer: str = "flatcar") -> None:
        """A version for x86_64, which becomes the channel's newest."""
        for directory in (version, "current"):
            self.files[f"/amd64-usr/{directory}/version.txt"] = (
                f'FLATCAR_BUILD=1\nFLATCAR_VERSION={version}\nFLATCAR_VERSION_ID={version}\nFLATCAR_BUILD_ID=""\n'
            ).encode()
            for name, body in bodies.items():
                path = f"/amd64-usr/{directory}/flatcar_production_pxe{name}"
                self.files |= {path: body, f"{path}.sig": signature(body, signer)}

    def add_fedora(self, version: str, bodies: Mapping[str, bytes], signer: str = "fedora") -> None:
        """A version for x86_64, which becomes the newest of the stream `stable`."""
        pxe = {}
        for name, body in bodies.items():
            path = f"/prod/streams/stable/builds/{version}/x86_64/fedora-coreos-{version}-live-{name}"
            self.files |= {path: body, f"{path}.sig": signature(body, signer)}
            pxe[name] = {
                "location": FEDORA + path,
                "signature": f"{FEDORA}{path}.sig",
                "sha256": hashlib.sha256(body).hexdigest(),
            }
        metal = {"release": version, "formats": {"pxe": pxe, "iso": {"disk": {}}}}
        self._put("/streams/stable.json", {"architectures": {"x86_64": {"artifacts": {"metal": metal}}}})
        media = {"metal": {"artifacts": {"pxe": pxe}}}
        builds = f"/prod/streams/stable/builds/{version}/release.json"
        self._put(builds, {"release": version, "architectures": {"x86_64": {"media": media}}})
        index = "/prod/streams/stable/releases.json"
        known = json.loads(self.files.get(index, b'{"releases": []}'))["releases"]
        self._put(index, {"releases": [*known, {"version": version, "metadata": FEDORA + builds}]})

    def _put(self, path: str, document: object) -> None:
        self.files[path] = json.dumps(document).encode()


@contextmanager
def release_server() -> Iterator[ReleaseServer]:
    """Serve on a free port of 127.0.0.1."""
    served = ReleaseServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Nothing."""

        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            served.requests.append(Requested(self.path, wanted))
            body = served.files.get(self.path)
            if body is None:
                self._head(404, 0)
                return
            found = re.fullmatch(r"bytes=(\d+)-", wanted) if served.has_ranges else None
            begin = int(found[1]) if found else 0
            if found and begin >= len(body):
                self._head(416, 0, f"bytes */{len(body)}")
                return
            self._head(206 if found else 200, len(body) - begin, f"bytes {begin}-{len(body) - 1}/{len(body)}")
            cut = served.cuts.pop(self.path, None)
            stall = served.stalls.pop(self.path, None)
            end = next((each for each in (cut, stall) if each is not None), len(body))
            for piece in range(begin, end, _MB):
                self.wfile.write(body[piece : min(piece + _MB, end)])
                served.resume.wait(served.pause)
            if cut is not None:
                served.files |= served.changes
                self.close_connection = True
            elif stall is not None:
                self.wfile.flush()
                served.resume.wait(60)
                self.close_connection = True

        def _head(self, status: int, length: int, content_range: str = "") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            if content_range and status != 200:
                self.send_header("Content-Range", content_range)
            self.end_headers()

    with in_thread(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        served.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield served
        finally:
            served.resume.set()
