"""`serve --console`."""

import http.client
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.support.consoles import Browser
from tests.support.serving import LIMIT, Serve, refused_start, started

pytestmark = pytest.mark.system
LOCAL = ("--address", "127.0.0.1:0", "--processes", "1", "--console", "127.0.0.1:0")


def address_in(serve: Serve) -> tuple[int, str]:
    """The port and the secret of the console."""
    [line] = [line for line in serve.startup_banner if line.startswith("console at ")]
    port, _, secret = line.removeprefix("console at http://127.0.0.1:").partition("/?token=")
    return int(port), secret


def await_end(port: int) -> None:
    """Wait until nothing listens there."""
    end = time.monotonic() + LIMIT
    with suppress(ConnectionRefusedError):
        while True:
            assert time.monotonic() < end
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)) as connection:
                connection.connect()
            time.sleep(0.05)


@pytest.mark.parametrize("ends_by", ["end", "kill"])
def test_console_is_beside_the_server_and_ends_with_it(tmp_path: Path, ends_by: str) -> None:
    with started(*LOCAL, "--data-path", str(tmp_path)) as serve:
        port, secret = address_in(serve)
        assert "No machine was seen yet" in Browser(port, secret).get("/").text
        getattr(serve, ends_by)()
        await_end(port)


def test_server_does_not_start_without_the_console_that_was_wanted(tmp_path: Path) -> None:
    flags = ("--address", "127.0.0.1:0", "--processes", "1", "--data-path", str(tmp_path))
    line = refused_start(*flags, "--console", "0.0.0.0:0")
    assert "--console 0.0.0.0:0: the console does not start: see the error above" in line
    store = {"MATCHBOX_TABLE": "t", "MATCHBOX_BUCKET": "b", "AWS_REGION": "eu-west-1"}
    assert "--console is for directory mode" in refused_start("--console", "127.0.0.1:0", environment=store)
