"""The program that `ministack` starts in the emulator's own virtual environment.

All services on 127.0.0.1, over TLS on the port in GATEWAY_PORT, which functions are given as endpoint, and in plain
HTTP on the port given as argument. Ends when its standard input does, so that it never outlives the one who started it,
and ends the functions' processes with it, which may be waiting for it.
"""

# mypy: disable-error-code="import-not-found"

import asyncio
import os
import signal
import sys

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app


async def standard_inputs_end() -> None:
    """Wait for it; nothing is ever written to it."""
    await asyncio.to_thread(sys.stdin.read)


def end_all(*_: object) -> None:
    """Kill this process and those that it has started."""
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Serve until the end."""
    os.setpgrp()
    signal.signal(signal.SIGTERM, end_all)
    config = Config()
    config.bind = [f"127.0.0.1:{os.environ['GATEWAY_PORT']}"]
    config.insecure_bind = [f"127.0.0.1:{sys.argv[1]}"]
    config.certfile, config.keyfile = os.environ["MINISTACK_SSL_CERT"], os.environ["MINISTACK_SSL_KEY"]
    asyncio.run(serve(app, config, shutdown_trigger=standard_inputs_end))
    end_all()


if __name__ == "__main__":
    main()
