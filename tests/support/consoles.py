"""A console in a thread of the test, and a browser without a script."""

import asyncio
import http.client
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from html import unescape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from matchboxctl.cli.arguments import Address
from matchboxctl.console.console import CONSOLE
from matchboxctl.console.server import application, serve
from matchboxctl.console.settings import ConsoleSettings
from matchboxctl.store.mode import StoreSettings

_LIMIT = 60
_TAG = re.compile(r"<[^>]*>")


class Page(NamedTuple):
    """Status, headers in lower case, and the document."""

    status: int
    headers: Mapping[str, str]
    html: str

    @property
    def text(self) -> str:
        """What is read, with single spaces."""
        return " ".join(unescape(_TAG.sub(" ", self.html)).split())

    @property
    def machines(self) -> list[str]:
        """The keys of the machines, or the names of the documents, that have a row."""
        return [unescape(key) for key in re.findall(r'<tr(?: id="[^"]*")? data-key="([^"]*)"', self.html)]

    @property
    def csrf(self) -> str:
        """The token of its forms."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.html)
        assert found, self.text
        return found[1]


class Browser:
    """A browser at a console, whose first address it opens unless it is to be a stranger."""

    def __init__(self, port: int, secret: str = "") -> None:
        self.port = port
        self.cookie = ""
        if secret:
            assert 303 == self.request("GET", f"/?token={secret}").status

    def request(self, method: str, target: str, body: str | None = None, **headers: str) -> Page:
        """The response to one request; cookies are kept."""
        fields = {"Cookie": self.cookie, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if body is not None:
            fields["Content-Type"] = "application/x-www-form-urlencoded"
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=_LIMIT)) as connection:
            connection.request(method, target, body, fields)
            response = connection.getresponse()
            found = Page(
                response.status,
                {name.lower(): value for name, value in response.getheaders()},
                response.read().decode(),
            )
        if (cookie := found.headers.get("set-cookie")) is not None:
            self.cookie = cookie.partition(";")[0]
        return found

    def get(self, target: str) -> Page:
        """A page, which must be there."""
        found = self.request("GET", target)
        assert 200 == found.status, found.text
        return found

    def send(self, target: str, **fields: str) -> Page:
        """The page after a form, whose token is that of the session."""
        machine = target.rpartition("/")[0]
        response = self.request("POST", target, urlencode({"csrf": self.get(machine).csrf, **fields}))
        assert 303 == response.status, response.text
        where = urlsplit(response.headers["location"])
        return self.get(f"{where.path}?{where.query}")


class Running(NamedTuple):
    """A console that runs: its port, and the secret of its first address."""

    port: int
    secret: str

    def browser(self) -> Browser:
        """One that has opened it."""
        return Browser(self.port, self.secret)


@contextmanager
def console(store: StoreSettings | Path, **settings: object) -> Iterator[Running]:
    """Serve a console of the store at a free port of 127.0.0.1."""
    loop = asyncio.new_event_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = Address("127.0.0.1", listener.getsockname()[1])
        app = application(ConsoleSettings(address, store)._replace(**settings), asyncio.to_thread)
        serving = loop.create_task(serve(app, listener, None))
        thread = threading.Thread(target=loop.run_until_complete, args=(serving,))
        thread.start()
        try:
            yield Running(address.port, app[CONSOLE].secret)
        finally:
            loop.call_soon_threadsafe(serving.cancel)
            thread.join()
            loop.close()
