"""Secrets in a data directory."""

import os
import subprocess
from pathlib import Path

import pytest

from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.secrets.references import InvalidNameError
from lambda_matchbox.secrets.stores import UnsafeSecretError
from matchboxctl.directory.secrets import IGNORED_BY_GIT, DirectorySecrets


def write(root: Path, name: str, value: bytes, mode: int = 0o600) -> Path:
    path = root / "secrets" / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(value)
    path.chmod(mode)
    return path


def test_a_file_has_exactly_the_bytes_of_a_value(tmp_path: Path) -> None:
    values = {"token": "abc\n", "talos/prod/ca": "ä" * 4096, "empty": ""}
    for name, value in values.items():
        write(tmp_path, name, value.encode())
    store = DirectorySecrets(tmp_path)
    assert store.values([*values, "absent", "token/below", "talos", "sm:token"]) == values
    assert list(store.problems()) == []


def test_an_edit_is_seen_at_once(tmp_path: Path) -> None:
    store = DirectorySecrets(tmp_path)
    assert store.values(["token"]) == {}
    path = write(tmp_path, "token", b"one")
    assert store.values(["token"]) == {"token": "one"}
    path.write_bytes(b"two")
    assert store.values(["token"]) == {"token": "two"}
    path.unlink()
    assert store.values(["token"]) == {}


@pytest.mark.parametrize("name", ["../groups/a.json", "/etc/passwd", "a/../../b", ""])
def test_a_name_leads_to_no_other_directory(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidNameError):
        DirectorySecrets(tmp_path).values([name])


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o602, 0o666])
def test_a_file_that_others_may_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    write(tmp_path, "talos/token", b"canary", mode)
    store = DirectorySecrets(tmp_path)
    with pytest.raises(UnsafeSecretError) as caught:
        store.values(["talos/token"])
    line = str(caught.value)
    assert line == f"secrets/talos/token is not used, as others may read or write it (mode {mode:04o}): chmod 600 it"
    assert list(store.problems()) == [line]


@pytest.mark.parametrize("directory", ["secrets", "secrets/talos"])
def test_a_directory_that_others_may_write_to_is_refused(tmp_path: Path, directory: str) -> None:
    write(tmp_path, "talos/token", b"canary")
    (tmp_path / directory).chmod(0o777)
    with pytest.raises(UnsafeSecretError, match=f"^{directory} is not used, as others may write to it"):
        DirectorySecrets(tmp_path).values(["talos/token"])


def test_another_users_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "token", b"canary")
    if path.stat().st_uid == 0:
        os.chown(path, 1234, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 4321)
    with pytest.raises(UnsafeSecretError, match="secrets/token is not used, as it is another user's"):
        DirectorySecrets(tmp_path).values(["token"])


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "key", b"canary\xff")
    with pytest.raises(UnsafeSecretError, match="secrets/key is not text in UTF-8") as caught:
        DirectorySecrets(tmp_path).values(["key"])
    assert "canary" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_away(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/loop").symlink_to("loop")
    with pytest.raises(StoreUnavailableError, match="secrets/loop cannot be read: Too many levels"):
        DirectorySecrets(tmp_path).values(["loop"])


def test_a_pipe_is_no_secret_and_waits_for_nobody(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    os.mkfifo(tmp_path / "secrets/pipe", 0o600)
    assert DirectorySecrets(tmp_path).values(["pipe"]) == {}


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", root, *arguments], check=True, capture_output=True)


@pytest.fixture
def work_tree(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    write(tmp_path / "data", "talos/token", b"canary")
    return tmp_path


@pytest.mark.system
def test_a_directory_that_git_would_add_is_refused(work_tree: Path) -> None:
    store = DirectorySecrets(work_tree / "data")
    with pytest.raises(UnsafeSecretError) as caught:
        store.values(["talos/token"])
    assert str(caught.value) == (
        "secrets/ is not used: it is in a git work tree, which does not ignore secrets/talos/token: "
        "write a line * into secrets/.gitignore"
    )
    assert list(store.problems()) == [str(caught.value)]


@pytest.mark.system
@pytest.mark.parametrize(
    ("file", "line"), [(".gitignore", "/data/secrets/"), (".git/info/exclude", "secrets"), ("data/.gitignore", "token")]
)
def test_a_directory_that_git_ignores_by_any_rule_is_used(work_tree: Path, file: str, line: str) -> None:
    (work_tree / file).write_text(f"{line}\n")
    assert DirectorySecrets(work_tree / "data").values(["talos/token"]) == {"talos/token": "canary"}


@pytest.mark.system
def test_secrets_with_a_repository_of_their_own_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "token", b"canary")
    git(tmp_path / "secrets", "init", "-q")
    with pytest.raises(UnsafeSecretError, match="does not ignore secrets/token"):
        DirectorySecrets(tmp_path).values(["token"])


@pytest.mark.system
def test_a_directory_that_ignores_all_but_some_secrets_is_refused(work_tree: Path) -> None:
    ignored = work_tree / "data/secrets/.gitignore"
    ignored.write_text("*\n!.gitignore\n")
    assert DirectorySecrets(work_tree / "data").values(["talos/token"]) == {"talos/token": "canary"}
    ignored.write_text("*\n!talos\n!token\n")
    with pytest.raises(UnsafeSecretError, match="does not ignore secrets/talos/token"):
        DirectorySecrets(work_tree / "data").values(["talos/token"])


@pytest.mark.system
def test_a_secret_that_git_has_already_is_refused(work_tree: Path) -> None:
    git(work_tree, "add", "data")
    (work_tree / ".gitignore").write_text("secrets\n")
    with pytest.raises(UnsafeSecretError, match="does not ignore secrets/talos/token"):
        DirectorySecrets(work_tree / "data").values(["talos/token"])


@pytest.mark.system
def test_a_directory_that_ignores_itself_needs_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    (tmp_path / ".git").mkdir()
    write(tmp_path / "data", "token", b"canary")
    now = [0.0]
    store = DirectorySecrets(tmp_path / "data", lambda: now[0])
    with pytest.raises(UnsafeSecretError, match="git does not say what it ignores"):
        store.values(["token"])
    file, text = IGNORED_BY_GIT
    (tmp_path / "data/secrets" / file).write_text(text)
    now[0] += 10
    assert store.values(["token"]) == {"token": "canary"}


@pytest.mark.system
def test_git_is_asked_once_in_ten_seconds(work_tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (work_tree / ".gitignore").write_text("secrets\n")
    now, started = [0.0], []
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *given, **more: started.append(given) or run(*given, **more))
    store = DirectorySecrets(work_tree / "data", lambda: now[0])
    for _ in range(5):
        store.values(["talos/token"])
    assert len(started) == 1
    (work_tree / ".gitignore").unlink()
    now[0] += 10
    with pytest.raises(UnsafeSecretError):
        store.values(["talos/token"])
    assert len(started) == 2
