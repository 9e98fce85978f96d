"""The health check of containers."""

from http.client import HTTPSConnection
from pathlib import Path

import click
import pytest

from matchboxctl.cli.commands import CONTEXT
from matchboxctl.serve import health
from matchboxctl.serve.arguments import serve
from tests.support.serving import started

SERVE = ("/opt/lambda-matchbox/bin/python", "/opt/lambda-matchbox/bin/matchboxctl", "serve")


def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *command: str) -> int:
    first = tmp_path / "cmdline"
    first.write_bytes("".join(f"{word}\0" for word in command).encode())
    monkeypatch.setattr(health, "_FIRST_PROCESS", first)
    return health.main()


@pytest.mark.parametrize(
    ("command", "variable", "address"),
    [
        (SERVE, "", ("127.0.0.1", 8080)),
        (SERVE, "0.0.0.0:8090", ("127.0.0.1", 8090)),
        ((*SERVE, "-address=:9000", "-log-level", "debug"), "0.0.0.0:8090", ("127.0.0.1", 9000)),
        ((*SERVE, "--address", "[::]:9000"), "", ("::1", 9000)),
        (("/sbin/docker-init", "--", "matchboxctl", "serve", "-address", "10.0.0.7:80"), "", ("10.0.0.7", 80)),
        # The host's, where the container shares its processes.
        (("/sbin/init",), "0.0.0.0:8090", ("127.0.0.1", 8090)),
    ],
)
def test_asks_where_the_first_process_listens(
    monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], variable: str, address: tuple[str, int]
) -> None:
    if variable:
        monkeypatch.setenv("MATCHBOX_ADDRESS", variable)
    connection = health._connection(command)
    assert address == (connection.host, connection.port)
    assert not isinstance(connection, HTTPSConnection)


def test_help_of_serve_stays_as_it_is() -> None:
    # Click makes a command's help option once, for the first context that it gets.
    serve._help_option = None
    health._connection(SERVE)
    option = serve.get_help_option(click.Context(serve, **CONTEXT))
    assert option is not None
    assert ["-h", "--help"] == option.opts


def test_asks_by_https_if_that_is_served() -> None:
    assert isinstance(health._connection([*SERVE, "-web-ssl"]), HTTPSConnection)


@pytest.mark.system
def test_ends_with_0_while_serve_answers_and_with_1_afterwards(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with started("--address", "127.0.0.1:0", "--data-path", str(tmp_path)) as serve:
        command = (*SERVE, f"-address=127.0.0.1:{serve.port}")
        assert 0 == asked(monkeypatch, tmp_path, *command)
        serve.end()
    assert 1 == asked(monkeypatch, tmp_path, *command)
    running, ended = capsys.readouterr().out.splitlines()
    assert f"127.0.0.1:{serve.port} answers with 200" == running
    assert ended.startswith(f"127.0.0.1:{serve.port} does not answer: ")
