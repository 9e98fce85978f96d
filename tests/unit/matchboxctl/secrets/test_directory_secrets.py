"""A secret's file is its owner's alone, whole or not there, and out of reach of git."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from lambda_matchbox.secrets.stores import UnsafeSecretError
from matchboxctl.cli.errors import FailedError
from matchboxctl.directory import drafts
from matchboxctl.main import main
from matchboxctl.secrets.directory_secrets import DirectorySecretWriter
from matchboxctl.secrets.stores import Change


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def secrets(tmp_path: Path) -> DirectorySecretWriter:
    return DirectorySecretWriter(tmp_path)


def test_files_are_of_mode_0600_in_directories_of_mode_0700(tmp_path: Path, secrets: DirectorySecretWriter) -> None:
    before = os.umask(0)
    try:
        secrets.set("a/b/c", "x")
    finally:
        os.umask(before)
    assert 0o600 == mode(tmp_path / "secrets/a/b/c")
    assert [0o700] * 3 == [mode(tmp_path / path) for path in ("secrets", "secrets/a", "secrets/a/b")]


def test_secret_of_secrets_manager_is_not_written_where_nothing_reads_it(
    tmp_path: Path, secrets: DirectorySecretWriter
) -> None:
    with pytest.raises(FailedError, match=r"^'sm:prod/join' is of Secrets Manager, which a data directory has not"):
        secrets.set("sm:prod/join", "x")
    assert [] == list(tmp_path.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_root_writes_for_the_user_to_whom_the_data_directory_belongs(
    tmp_path: Path, secrets: DirectorySecretWriter
) -> None:
    os.chown(tmp_path, 4711, 4712)
    assert Change.CREATED == secrets.set("a/b", "x")
    assert Change.CHANGED == secrets.set("a/b", "y")
    owners = {(found.st_uid, found.st_gid) for found in (path.stat() for path in (tmp_path / "secrets").rglob("*"))}
    assert {(4711, 4712)} == owners


def test_interrupted_write_leaves_the_secret_as_it_was(
    tmp_path: Path, secrets: DirectorySecretWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    secrets.set("a", "old")
    monkeypatch.setattr(drafts.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        secrets.set("a", "new")
    assert {"a": "old"} == secrets.values(["a"])
    assert ["a"] == [one.name for one in secrets.names()]
    assert {"a", ".gitignore"} == {path.name for path in (tmp_path / "secrets").iterdir()}


def test_name_of_a_directory_and_names_below_a_secret_are_refused(secrets: DirectorySecretWriter) -> None:
    secrets.set("a/b", "x")
    with pytest.raises(FailedError, match="names that begin with 'a/' exist"):
        secrets.set("a", "x")
    with pytest.raises(FailedError, match="secret 'a/b' exists"):
        secrets.set("a/b/c/d", "x")
    assert secrets.delete("a/b")
    assert Change.CREATED == secrets.set("a", "x")


@pytest.mark.parametrize("directory", ["secrets", "secrets/a"])
def test_nothing_is_written_where_others_may_write(
    tmp_path: Path, secrets: DirectorySecretWriter, directory: str
) -> None:
    secrets.set("a/b", "x")
    (tmp_path / directory).chmod(0o770)
    with pytest.raises(UnsafeSecretError, match=rf"{directory} is not used, as others may write to it.*: chmod 700 it"):
        secrets.set("a/c", "x")
    assert ["a/b"] == [one.name for one in secrets.names()]


@pytest.mark.system
def test_directory_is_ignored_by_git_from_the_first_secret_on(tmp_path: Path, secrets: DirectorySecretWriter) -> None:
    git(tmp_path, "init")
    secrets.set("a", "x")
    git(tmp_path, "add", "--all")
    assert "" == git(tmp_path, "ls-files")
    assert {"a": "x"} == secrets.values(["a"])


@pytest.mark.system
def test_nothing_is_written_where_git_would_take_it(tmp_path: Path, secrets: DirectorySecretWriter) -> None:
    git(tmp_path, "init")
    (tmp_path / "secrets").mkdir(0o700)
    (tmp_path / "secrets/README").write_text("not ignored")
    (tmp_path / "secrets/README").chmod(0o600)
    with pytest.raises(UnsafeSecretError, match=r"\.gitignore"):
        secrets.set("a", "x")
    assert ["README"] == [path.name for path in (tmp_path / "secrets").iterdir()]


def git(directory: Path, *arguments: str) -> str:
    command = ["git", "-C", str(directory), "-c", "init.defaultBranch=main", *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


def test_list_names_secrets_that_others_may_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secrets = DirectorySecretWriter(tmp_path)
    secrets.set("a", "x")
    secrets.set("b", "x")
    (tmp_path / "secrets/a").chmod(0o640)
    for verb in ("list", "used"):
        assert 1 == main(["secret", verb, "--data-path", str(tmp_path)])
        written = capsys.readouterr()
        assert {"a", "b"} <= set(written.out.split())
        assert "secrets/a is not used, as others may read or write it (mode 0640): chmod 600 it" in written.err
        assert "secrets/b" not in written.err
