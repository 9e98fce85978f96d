"""The files and hosts that `matchboxctl certs --check` checks."""

from pathlib import Path

import pytest

from matchboxctl.main import main
from tests.unit.matchboxctl.certs.certificate_checker import Checker


@pytest.fixture
def checker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Checker:
    return Checker(tmp_path, capsys)


@pytest.mark.parametrize("host", ["LOCALHOST", "127.0.0.1"])
def test_certificate_is_for_host(checker: Checker, host: str) -> None:
    assert 0 == checker.check("--name", host).code


def test_each_other_host_is_a_problem(checker: Checker) -> None:
    output = checker.check("--name", "matchbox.example.com", "--name", "localhost", "--name", "10.0.0.1")
    expected = [
        f"server.crt is for localhost, 127.0.0.1: clients that connect to {host} refuse it"
        for host in ("matchbox.example.com", "10.0.0.1")
    ]
    assert (1, expected) == (output.code, output.of("FAILED"))


@pytest.mark.parametrize(("end", "other"), [("server", "client"), ("client", "server")])
def test_directory_of_one_end_is_valid(checker: Checker, end: str, other: str) -> None:
    checker.put({f"{other}.crt": None, f"{other}.key": None})
    output = checker.check()
    assert (0, [f"{other}.crt and {other}.key do not exist and are not checked"]) == (output.code, output.of("note"))
    assert [["ca.crt", f"{end}.crt"]] == [[line.partition(":")[0] for line in output.of("ok")]]


@pytest.mark.parametrize("arguments", [("--key-file", "/nowhere/server.key"), ("--name", "localhost")])
def test_explicit_server_must_exist(checker: Checker, arguments: tuple[str, ...]) -> None:
    checker.put({"server.crt": None, "server.key": None})
    assert checker.check(*arguments).of("FAILED")[0].startswith("server.crt does not exist")


def test_empty_directory_lacks_server(checker: Checker) -> None:
    checker.put(dict.fromkeys(("ca.crt", "server.crt", "server.key", "client.crt", "client.key")))
    output = checker.check()
    missed = [line.partition(" ")[0] for line in output.of("FAILED")]
    assert (1, ["ca.crt", "server.crt", "server.key"]) == (output.code, missed)


@pytest.mark.parametrize("flag", ["--cert-file", "--key-file", "--client-cert-file", "--client-key-file"])
def test_flags_override_directory(checker: Checker, flag: str) -> None:
    """Their files must exist."""
    output = checker.check(flag, "/nowhere/file.pem")
    (line,) = (line for line in output.of("FAILED") if "client.key" not in line)
    assert line.startswith("/nowhere/file.pem does not exist")


@pytest.mark.parametrize("path", ["", "/"])
@pytest.mark.parametrize("flag", ["--ca-file", "--client-cert-file"])
def test_flag_that_names_a_directory_is_a_problem(checker: Checker, flag: str, path: str) -> None:
    output = checker.check(flag, path)
    assert (1, f"{path or '.'} cannot be read: Is a directory") == (output.code, output.of("FAILED")[0])


def test_default_files_are_those_of_the_environment(checker: Checker, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, name in (("CA", "ca.crt"), ("CERT", "server.crt"), ("KEY", "server.key")):
        monkeypatch.setenv(f"MATCHBOX_{variable}_FILE", str(checker.directory / name))
    assert 3 == len(checker.check(of_directory=False).of("ok"))
    checker.put({"server.crt": None, "server.key": None})
    assert 2 == len(checker.check(of_directory=False).of("FAILED"))
    output = checker.check("--ca-file", "/nowhere/ca.crt", of_directory=False)
    assert output.of("FAILED")[0].startswith("/nowhere/ca.crt does not exist")


def test_default_files_are_matchboxs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty variable counts as unset."""
    monkeypatch.setenv("MATCHBOX_CA_FILE", "")
    assert 0 == main(["certs", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for default in (
        "(MATCHBOX_CA_FILE; default /etc/matchbox/ca.crt)",
        "(MATCHBOX_CERT_FILE; default /etc/matchbox/server.crt)",
        "(MATCHBOX_KEY_FILE; default /etc/matchbox/server.key)",
    ):
        assert default in shown
