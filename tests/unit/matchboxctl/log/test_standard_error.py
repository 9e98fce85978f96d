"""Which log `serve` writes on standard error."""

import http.client
import io
import json
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from matchboxctl.log.settings import LogSettings
from matchboxctl.log.standard_error import standard_error_log
from tests.support.serving import COMMAND, LIMIT, refused_start, started


class Terminal(io.StringIO):
    """Says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("log_format", "stream", "environment", "kind"),
    [
        ("", Terminal(), {}, "coloured"),
        ("", Terminal(), {"NO_COLOR": ""}, "coloured"),
        ("", Terminal(), {"NO_COLOR": "1"}, "plain"),
        ("", Terminal(), {"TERM": "dumb"}, "plain"),
        ("", io.StringIO(), {}, "json"),
        ("json", Terminal(), {}, "json"),
        ("text", io.StringIO(), {}, "plain"),
        ("text", Terminal(), {}, "coloured"),
    ],
)
def test_format_depends_on_flag_terminal_and_environment(
    monkeypatch: pytest.MonkeyPatch, log_format: str, stream: io.StringIO, environment: dict[str, str], kind: str
) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream.truncate(0)
    monkeypatch.setattr(sys, "stderr", stream)
    standard_error_log(LogSettings("info", log_format)).warning("a record")
    written = stream.getvalue()
    found = "json" if "{" in written else "coloured" if "\x1b[" in written else "plain"
    assert kind == found


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_lines_are_json_in_every_encoding(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(written, encoding, "backslashreplace"))
    standard_error_log(LogSettings("info", "json")).info("request", extra={"hostname": "küche \N{EURO SIGN}"})
    assert "küche \N{EURO SIGN}" == json.loads(written.getvalue())["hostname"]


@pytest.mark.system
def test_serve_writes_short_lines_on_a_terminal(tmp_path: Path) -> None:
    """Of a real one, which `serve` asks for its width."""
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 100))
    flags = ["--address", "127.0.0.1:0", "--data-path", str(tmp_path)]
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"}
    with subprocess.Popen(
        [*COMMAND, *flags], stdout=subprocess.PIPE, stderr=end, text=True, env=environment
    ) as process:
        os.close(end)
        try:
            assert process.stdout is not None
            port = next(line for line in process.stdout if line.startswith("listening on ")).rpartition(":")[2]
            connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=LIMIT)
            connection.request("GET", "/ipxe?mac=52-54-00-00-00-99")
            assert 404 == connection.getresponse().status
            connection.close()
            written = os.read(terminal, 4096).decode()
        finally:
            process.kill()
    os.close(terminal)
    assert "52:54:00:00:00:99  /ipxe: no group matches these labels" + " " * 22 + "\x1b[33m404\x1b[0m" in written
    assert 1 == written.count("\n")


@pytest.mark.system
def test_format_is_read_from_the_environment(tmp_path: Path) -> None:
    flags = ("--address", "127.0.0.1:0", "--data-path", str(tmp_path))
    with started(*flags, environment=os.environ | {"MATCHBOX_LOG_FORMAT": "text"}) as running:
        running.end()
        assert [" 200 "] == [line[66:71] for line in running.errors]
    assert "'xml' is not one of 'text', 'json'" in refused_start(*flags, "--log-format", "xml")
