"""`matchboxctl console`: starts the server, and prints the address that opens it."""

import asyncio
import signal
import sys
from pathlib import Path

from matchboxctl.cli.arguments import Address, check_data_path
from matchboxctl.cli.ending import END_SECONDS, exit_after
from matchboxctl.cli.errors import UsageError
from matchboxctl.console.console import CONSOLE
from matchboxctl.console.server import application, read_first, read_groups, serve
from matchboxctl.console.settings import ConsoleSettings
from matchboxctl.serve.certificate import Certificate
from matchboxctl.serve.listeners import Listener, listeners
from matchboxctl.serve.own_address import is_loopback

_SHORTEST_PASSWORD = 12

_FIRST_SECONDS = 2.0
"""For which the address that opens it waits for what the first page shows."""


def run(settings: ConsoleSettings) -> None:
    """Serve until SIGINT or SIGTERM. Raises UsageError with one line that says what to change."""
    _check(settings)
    certificate = None if settings.certificate is None else Certificate(settings.certificate)
    if isinstance(settings.store, Path):
        check_data_path(settings.store)
    else:
        # Fails at once without credentials, for which every page would wait.
        settings.store.credentials()
    asyncio.run(_run(settings, _listener(settings.address), certificate))


def password_in(path: str) -> str:
    """The password in the first line of a file. Raises UsageError."""
    try:
        lines = Path(path).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(f"--password-file {path} cannot be read: {reason}") from error
    if not lines or not lines[0]:
        raise UsageError(f"--password-file {path} has no password in its first line")
    return lines[0]


def _check(settings: ConsoleSettings) -> None:
    if settings.password and len(settings.password) < _SHORTEST_PASSWORD:
        raise UsageError(f"the password is too short: use {_SHORTEST_PASSWORD} characters or more")
    if is_loopback(settings.address.host):
        return
    if settings.certificate is None or not settings.password:
        raise UsageError(
            f"--address {settings.address.text} can be reached by others: serve https with --web-ssl, and set a "
            "password with --password-file or MATCHBOX_CONSOLE_PASSWORD; or use 127.0.0.1 and an SSH tunnel"
        )


def _listener(address: Address) -> Listener:
    try:
        [listener] = listeners(address, 1, None)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot listen on {address.text}: {reason}; choose another with --address") from error
    return listener


async def _run(settings: ConsoleSettings, listener: Listener, certificate: Certificate | None) -> None:
    app = application(settings)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if settings.ends_with_input:
        asyncio.get_running_loop().add_reader(sys.stdin, stop.set)
    serving = asyncio.create_task(serve(app, listener.socket, certificate))
    await asyncio.wait([asyncio.create_task(read_first(app[CONSOLE]))], timeout=_FIRST_SECONDS)
    print(f"console of {settings.description}{', read-only' if settings.read_only else ''}", flush=True)
    print(f"open {_first_address(settings, listener, app[CONSOLE].secret)}", flush=True)
    reading = asyncio.create_task(read_groups(app[CONSOLE]))
    await asyncio.wait([serving, asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        exit_after(END_SECONDS)
    reading.cancel()
    serving.cancel()
    await serving


def _first_address(settings: ConsoleSettings, listener: Listener, secret: str) -> str:
    address = settings.address._replace(port=listener.socket.getsockname()[1])
    scheme = "http" if settings.certificate is None else "https"
    path = "/" if settings.password else f"/?token={secret}"
    return f"{scheme}://{address.text}{path}"
