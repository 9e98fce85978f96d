"""`python -m matchboxctl.serve.health`: whether the `serve` of this container answers, for its health check."""

import os
import ssl
import sys
from collections.abc import Sequence
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path

from matchboxctl.cli.arguments import parse_address
from matchboxctl.cli.commands import CONTEXT
from matchboxctl.serve.arguments import serve

_FIRST_PROCESS = Path("/proc/1/cmdline")
_SECONDS = 5.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (compared, not bound)


def main() -> int:
    """0 if it answers; otherwise 1 and a line that says why."""
    command = _FIRST_PROCESS.read_bytes().rstrip(b"\0").split(b"\0")
    with closing(_connection([os.fsdecode(word) for word in command])) as connection:
        try:
            connection.request("GET", "/")
            status = connection.getresponse().status
        except (OSError, HTTPException) as error:
            print(f"{connection.host}:{connection.port} does not answer: {error}")
            return 1
    print(f"{connection.host}:{connection.port} answers with {status}")
    return 0 if status == 200 else 1


def _connection(command: Sequence[str]) -> HTTPConnection:
    """To where the command listens; by the environment alone if it is not `serve`, as with the host's processes."""
    flags = list(command[command.index("serve") + 1 :]) if "serve" in command else []
    settings = serve.make_context("serve", flags, **CONTEXT).params
    address = parse_address("--address", settings["address"])
    host = _EVERYWHERE.get(address.host, address.host)
    if not settings["web_ssl"]:
        return HTTPConnection(host, address.port, timeout=_SECONDS)
    # It asks whether somebody answers, not who.
    unverified = ssl._create_unverified_context()  # noqa: S323, SLF001
    return HTTPSConnection(host, address.port, timeout=_SECONDS, context=unverified)


if __name__ == "__main__":
    sys.exit(main())
