from pathlib import Path

import pytest

from matchboxctl.cli.arguments import share
from tests.support.commands import Commands


@pytest.fixture
def commands(capfdbinary: pytest.CaptureFixture[bytes]) -> Commands:
    return Commands(capfdbinary)


def test_page_is_installed_again_and_removed(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANPATH", f":{tmp_path}/man")
    page = tmp_path / "man" / "man1" / "matchboxctl.1"
    for _ in range(2):
        assert (0, f"wrote {page}\n", "") == commands("man", "install", "--share", tmp_path)
    assert commands("man", "page").out == page.read_text()
    assert (0, f"removed {page}\n", "") == commands("man", "uninstall", "--share", tmp_path)
    assert (0, "", "") == commands("man", "uninstall", "--share", tmp_path)


@pytest.mark.parametrize(("directory", "said"), [("bin", ""), ("sbin/bin", "man needs in the shell's profile: ")])
def test_what_man_needs_is_said_where_it_does_not_look(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, directory: str, said: str
) -> None:
    """It looks in share/ beside a directory of PATH."""
    monkeypatch.setenv("PATH", f"/bin:{tmp_path}/{directory}")
    monkeypatch.delenv("MANPATH", raising=False)
    _, *more = commands("man", "install", "--share", tmp_path / "share").out.splitlines()
    assert [f'{said}export MANPATH="$MANPATH":{tmp_path}/share/man'] * bool(said) == more


def test_page_of_another_package_is_kept(commands: Commands, tmp_path: Path) -> None:
    page = tmp_path / "man" / "man1" / "matchboxctl.1"
    page.parent.mkdir(parents=True)
    page.write_text(".TH OTHER 1\n")
    (error,) = commands.refused("man", "install", "--share", tmp_path)
    assert f"matchboxctl: {page} is not from matchboxctl: remove it, or choose another --share" == error
    assert (0, "", "") == commands("man", "uninstall", "--share", tmp_path)
    assert ".TH OTHER 1\n" == page.read_text()


def test_directory_that_cannot_be_written_is_named(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "man").touch()
    code, _, err = commands("man", "install", "--share", tmp_path)
    assert (1, True) == (code, f"{tmp_path}/man/man1/matchboxctl.1: cannot be written: " in err)


@pytest.mark.parametrize(
    ("user", "environment", "expected"),
    [
        (0, {"XDG_DATA_HOME": "/data"}, "/usr/local/share"),
        (1000, {"XDG_DATA_HOME": "/data"}, "/data"),
        (1000, {"HOME": "/home/me", "XDG_DATA_HOME": ""}, "/home/me/.local/share"),
    ],
)
def test_files_are_for_the_user_or_from_root_for_all(
    monkeypatch: pytest.MonkeyPatch, user: int, environment: dict[str, str], expected: str
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert Path(expected) == share()
