"""Which files `matchboxctl certs --check` looks at, and for which hosts."""

from pathlib import Path

import pytest

from matchboxctl.main import main
from tests.unit.matchboxctl.certs.certificate_checker import Checker


@pytest.fixture
def checker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Checker:
    return Checker(tmp_path, capsys)


@pytest.mark.parametrize("host", ["LOCALHOST", "127.0.0.1"])
def test_a_host_that_is_named(checker: Checker, host: str) -> None:
    """The server's certificate is for the host that is asked for."""
    assert 0 == checker.told("--name", host).code


def test_hosts_that_are_not_named(checker: Checker) -> None:
    """Each host that the server's certificate is not for is told of."""
    told = checker.told("--name", "matchbox.example.com", "--name", "localhost", "--name", "10.0.0.1")
    expected = [
        f"server.crt is for localhost, 127.0.0.1: clients that connect to {host} refuse it"
        for host in ("matchbox.example.com", "10.0.0.1")
    ]
    assert (1, expected) == (told.code, told.of("FAILED"))


@pytest.mark.parametrize(("end", "other"), [("server", "client"), ("client", "server")])
def test_one_end_alone(checker: Checker, end: str, other: str) -> None:
    """A directory of one end's files is checked without the other's, and that is said."""
    checker.put({f"{other}.crt": None, f"{other}.key": None})
    told = checker.told()
    assert (0, [f"{other}.crt and {other}.key do not exist and are not checked"]) == (told.code, told.of("note"))
    assert [["ca.crt", f"{end}.crt"]] == [[line.partition(":")[0] for line in told.of("ok")]]


@pytest.mark.parametrize("arguments", [("--key-file", "/nowhere/server.key"), ("--name", "localhost")])
def test_a_server_that_is_asked_for(checker: Checker, arguments: tuple[str, ...]) -> None:
    """Who names a server's file, or a host, is told that the server's certificate is not there."""
    checker.put({"server.crt": None, "server.key": None})
    assert checker.told(*arguments).of("FAILED")[0].startswith("server.crt does not exist")


def test_an_empty_directory(checker: Checker) -> None:
    """Where there is nothing, the server's files are missed."""
    checker.put(dict.fromkeys(("ca.crt", "server.crt", "server.key", "client.crt", "client.key")))
    told = checker.told()
    missed = [line.partition(" ")[0] for line in told.of("FAILED")]
    assert (1, ["ca.crt", "server.crt", "server.key"]) == (told.code, missed)


@pytest.mark.parametrize("flag", ["--cert-file", "--key-file", "--client-cert-file", "--client-key-file"])
def test_files_that_are_named(checker: Checker, flag: str) -> None:
    """A file that a flag names has to be there, and comes before the directory's."""
    told = checker.told(flag, "/nowhere/file.pem")
    (line,) = (line for line in told.of("FAILED") if "client.key" not in line)
    assert line.startswith("/nowhere/file.pem does not exist")


@pytest.mark.parametrize("path", ["", "/"])
@pytest.mark.parametrize("flag", ["--ca-file", "--client-cert-file"])
def test_directories_that_are_named(checker: Checker, flag: str, path: str) -> None:
    """A path that ends in no file's name is told of as other directories are."""
    told = checker.told(flag, path)
    assert (1, f"{path or '.'} cannot be read: Is a directory") == (told.code, told.of("FAILED")[0])


def test_files_of_the_environment(checker: Checker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a directory the files are those that the server would take."""
    for variable, name in (("CA", "ca.crt"), ("CERT", "server.crt"), ("KEY", "server.key")):
        monkeypatch.setenv(f"MATCHBOX_{variable}_FILE", str(checker.directory / name))
    assert 3 == len(checker.told(of_directory=False).of("ok"))
    checker.put({"server.crt": None, "server.key": None})
    assert 2 == len(checker.told(of_directory=False).of("FAILED"))
    told = checker.told("--ca-file", "/nowhere/ca.crt", of_directory=False)
    assert told.of("FAILED")[0].startswith("/nowhere/ca.crt does not exist")


def test_files_of_the_defaults(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """They are where matchbox has them unless the environment says otherwise; an empty variable says nothing."""
    monkeypatch.setenv("MATCHBOX_CA_FILE", "")
    with pytest.raises(SystemExit, match="0"):
        main(["certs", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for default in (
        "(MATCHBOX_CA_FILE; default /etc/matchbox/ca.crt)",
        "(MATCHBOX_CERT_FILE; default /etc/matchbox/server.crt)",
        "(MATCHBOX_KEY_FILE; default /etc/matchbox/server.key)",
    ):
        assert default in shown
