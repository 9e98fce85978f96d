import filecmp
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from matchboxctl import REPOSITORY, __version__
from matchboxctl.examples import copies
from matchboxctl.examples.copies import names
from tests.support.commands import Commands
from tests.support.paths import EXAMPLES, PROJECT

# What serving and its operator put beside the documents.
LEFT = ("secrets/talos/demo", "releases/x", "state.sqlite", "history.sqlite-wal", ".run/secrets.yaml")


@pytest.fixture
def commands(capfdbinary: pytest.CaptureFixture[bytes]) -> Commands:
    return Commands(capfdbinary)


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_list_has_every_example_and_what_it_is(commands: Commands) -> None:
    code, out, _ = commands("examples")
    assert 0 == code
    head, *lines = out.splitlines()
    assert "NAME           WHAT" == head
    assert sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()) == [line.split()[0] for line in lines]
    assert "ipxe           An iPXE script that retries until the machine boots" in lines


@pytest.mark.parametrize("name", names())
def test_example_is_written_as_it_is(commands: Commands, tmp_path: Path, name: str) -> None:
    into = tmp_path / "deep" / "copy"
    ended = commands("examples", name, "--into", into)
    assert (0, f"wrote the example {name}: {into}/README.md says how to go on\n", "") == ended
    compared = filecmp.dircmp(EXAMPLES / name, into, ignore=["README.md", "secrets", "releases", ".run"])
    assert ([], []) == (compared.right_only, compared.diff_files)
    assert [into] == list(into.parent.iterdir())


@pytest.mark.parametrize("name", names())
def test_links_of_a_copy_lead_to_its_files_or_to_this_version_in_the_repository(
    commands: Commands, tmp_path: Path, name: str
) -> None:
    assert 0 == commands("examples", name, "--into", tmp_path / "copy").code
    for page in (tmp_path / "copy").rglob("*.md"):
        for link in re.findall(r"\]\(([^)\s]+)", page.read_text()):
            path = link.partition("#")[0].removeprefix(f"{REPOSITORY}/blob/v{__version__}/")
            assert link.startswith("https://") or (page.parent / path).exists(), link
            assert not link.startswith(REPOSITORY) or (PROJECT / path).is_file(), link


def test_directory_is_as_others_that_the_user_makes(commands: Commands, tmp_path: Path) -> None:
    """Its modes are those of the umask."""
    (tmp_path / "made").mkdir()
    commands("examples", "talos", "--into", tmp_path / "copy")
    assert (tmp_path / "made").stat().st_mode == (tmp_path / "copy").stat().st_mode


def test_empty_directory_is_filled_also_through_a_link(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("empty")
    assert 0 == commands("examples", "ipxe", "--into", tmp_path / "link").code
    assert {"README.md", "retry.ipxe"} == files(tmp_path / "empty").keys()


def test_directory_stays_the_one_of_the_shell_and_the_umask_holds(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o711)
    monkeypatch.chdir(tmp_path)
    before = os.umask(0o077)
    try:
        assert 0 == commands("examples", "talos", "--into", ".").code
    finally:
        os.umask(before)
    assert Path("groups").is_dir()
    assert [0o711, 0o700, 0o600] == [
        path.stat().st_mode & 0o777 for path in (tmp_path, tmp_path / "groups", tmp_path / "README.md")
    ]


@pytest.mark.parametrize("is_file", [True, False])
def test_what_is_there_is_kept(commands: Commands, tmp_path: Path, is_file: bool) -> None:
    own = tmp_path / "own" if is_file else tmp_path / "own" / "README.md"
    own.parent.mkdir(exist_ok=True)
    own.write_text("mine")
    (error,) = commands.refused("examples", "talos", "--into", tmp_path / "own")
    assert f"matchboxctl: {tmp_path / 'own'} is there already: name a directory that is absent or empty" == error
    assert "mine" == own.read_text()
    assert [tmp_path / "own"] == list(tmp_path.iterdir())


def test_what_serving_leaves_in_a_checkout_is_not_copied(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("README.md", *LEFT):
        file = tmp_path / "examples" / "talos" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("a value")
    monkeypatch.setattr(copies, "_FILES", tmp_path / "examples")
    assert 0 == commands("examples", "talos", "--into", tmp_path / "copy").code
    assert {"README.md"} == files(tmp_path / "copy").keys()


def test_directory_that_cannot_be_made_is_named(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, _, err = commands("examples", "talos", "--into", tmp_path / "file" / "below")
    assert (1, f"matchboxctl: {tmp_path}/file/below: cannot be written: File exists\n") == (code, err)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["talos"], "say where to: matchboxctl examples talos --into DIR"),
        (["--into", "there"], "--into is for one example: matchboxctl examples NAME --into there"),
    ],
)
def test_half_an_instruction_is_answered_with_the_whole(commands: Commands, arguments: list[str], error: str) -> None:
    assert [f"matchboxctl: {error}"] == commands.refused("examples", *arguments)


def test_unknown_name_is_answered_with_what_may_be_meant(commands: Commands) -> None:
    assert commands.refused("examples", "tallos")[-1].endswith("did you mean 'talos'?")


@pytest.mark.system
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_example_leaves_nothing_that_the_next_one_does_not_remove(
    tmp_path: Path, number: signal.Signals
) -> None:
    """It is interrupted when every file but the last is written."""
    program = (
        "import os, shutil, sys; from matchboxctl.examples import copies; from matchboxctl.main import main\n"
        "copied = []\n"
        "def copy(source, target):\n"
        "    shutil.copyfile(source, target); copied.append(target)\n"
        f"    if len(copied) == 5: os.kill(os.getpid(), {int(number)})\n"
        "copies.shutil = type('', (), {'copytree': shutil.copytree, 'copyfile': copy})\n"
        "sys.exit(main(['examples', 'talos', '--into', 'copy']))"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (130 if number == signal.SIGINT else -number) == ended.returncode
    assert not (tmp_path / "copy").exists()
    again = [sys.executable, "-m", "matchboxctl.main", "examples", "talos", "--into", "copy"]
    subprocess.run(again, cwd=tmp_path, capture_output=True, check=True)
    assert [tmp_path / "copy"] == list(tmp_path.iterdir())
