"""Files are replaced as a whole, keep who may read them, and nothing of a killed writer stays."""

import errno
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from lambda_matchbox.assets.stores import DirectoryListing
from matchboxctl.directory.assets import AssetDirectory
from matchboxctl.directory.catalog import watch
from matchboxctl.directory.drafts import is_draft, remove_drafts, replacing
from matchboxctl.directory.files import files_below
from matchboxctl.documents.directory_documents import DirectoryDocuments
from matchboxctl.main import main
from tests.support.serving import serving

WRITER = """
import sys
from pathlib import Path
from matchboxctl.directory.drafts import replacing
with replacing(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    print(flush=True)
    sys.stdin.read()
"""


def write(path: Path, body: bytes) -> None:
    with replacing(path) as file:
        file.write(body)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def writer(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has half written the file; it completes it when its standard input ends."""
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert b"\n" == process.stdout.readline()
        yield process


def kill_writer(path: Path) -> None:
    with writer(path) as process:
        process.kill()


def drafts(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if is_draft(path.name)]


@pytest.mark.parametrize("kept", [0o600, 0o640, 0o644, 0o660])
def test_replaced_file_keeps_its_mode(tmp_path: Path, kept: int) -> None:
    (tmp_path / "file").touch(mode=0o644)
    (tmp_path / "file").chmod(kept)
    write(tmp_path / "file", b"new")
    assert (kept, b"new") == (mode(tmp_path / "file"), (tmp_path / "file").read_bytes())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_replaced_file_keeps_its_owner_and_group(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.chown(tmp_path / "file", 12345, 54321)
    write(tmp_path / "file", b"new")
    status = (tmp_path / "file").stat()
    assert (12345, 54321) == (status.st_uid, status.st_gid)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize(("old", "new"), [(0o640, 0o600), (0o644, 0o644), (0o664, 0o644)])
def test_other_group_gets_no_more_than_everybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: int, new: int
) -> None:
    def refused(*_: int) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    (tmp_path / "file").touch()
    os.chown(tmp_path / "file", 12345, 54321)
    (tmp_path / "file").chmod(old)
    monkeypatch.setattr(os, "fchown", refused)
    write(tmp_path / "file", b"new")
    assert new == mode(tmp_path / "file")


@pytest.mark.parametrize(("directory", "expected"), [(0o755, 0o644), (0o750, 0o640), (0o711, 0o600), (0o700, 0o600)])
def test_new_file_is_readable_for_those_who_may_read_its_directory(
    tmp_path: Path, directory: int, expected: int
) -> None:
    (tmp_path / "groups").mkdir()
    (tmp_path / "groups").chmod(directory)
    write(tmp_path / "groups/g.json", b"{}")
    assert expected == mode(tmp_path / "groups/g.json")


@pytest.mark.system
def test_new_file_respects_the_umask(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "matchboxctl.main", "generic", "create", "-f", "-", "--name", "t"]
    subprocess.run(
        [*command, "--data-path", str(tmp_path)], input=b"text", check=True, capture_output=True, umask=0o077
    )
    assert 0o600 == mode(tmp_path / "generic/t")


def test_draft_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "file").touch(mode=0o644)
    with replacing(tmp_path / "file") as file:
        file.write(b"secret")
        file.flush()
        (draft,) = drafts(tmp_path)
        assert (0o600, b"secret") == (mode(draft), draft.read_bytes())
    assert [] == drafts(tmp_path)


def test_failed_write_names_the_file_and_leaves_the_old_one(tmp_path: Path) -> None:
    """With a limit on the size of files, which fails as a full disk does: in the middle of a write."""
    write(tmp_path / "file", b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OSError, match=f"File too large: '{tmp_path}/file'"):
            write(tmp_path / "file", b"x" * 200_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert ([tmp_path / "file"], b"old") == (list(tmp_path.iterdir()), (tmp_path / "file").read_bytes())


@pytest.mark.system
def test_draft_of_a_living_writer_stays(tmp_path: Path) -> None:
    """However old it is."""
    with writer(tmp_path / "groups/g.json") as process:
        (draft,) = drafts(tmp_path)
        os.utime(draft, (0, 0))
        remove_drafts(tmp_path)
        assert [draft] == drafts(tmp_path)
        process.communicate()
    assert (b"half", []) == ((tmp_path / "groups/g.json").read_bytes(), drafts(tmp_path))


@pytest.mark.system
def test_drafts_of_killed_writers_are_removed(tmp_path: Path) -> None:
    """Also in a directory that is a link to one elsewhere; no other file is."""
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    data.mkdir()
    elsewhere.mkdir()
    (data / "assets").symlink_to(elsewhere)
    other = data / "generic/.put-other"
    write(other, b"")
    for path in (data / "groups/g.json", data / "generic/deep/er/t", elsewhere / "os/vmlinuz", data / "file"):
        kill_writer(path)
    assert 4 == len(drafts(tmp_path))
    remove_drafts(data)
    assert ([], True) == (drafts(tmp_path), other.exists())


@pytest.mark.system
def test_first_write_of_a_command_removes_drafts(tmp_path: Path) -> None:
    """A deletion too."""
    kill_writer(tmp_path / "groups/g.json")
    DirectoryDocuments(tmp_path).put_template("generic", "t", b"text")
    assert [] == drafts(tmp_path)
    kill_writer(tmp_path / "groups/g.json")
    assert 0 == main(["generic", "delete", "t", "--data-path", str(tmp_path)])
    assert [] == drafts(tmp_path)


@pytest.mark.system
def test_serve_removes_drafts(tmp_path: Path) -> None:
    kill_writer(tmp_path / "groups/g.json")
    with serving(tmp_path):
        assert [] == drafts(tmp_path)


@pytest.mark.system
def test_drafts_are_no_documents(tmp_path: Path) -> None:
    kill_writer(tmp_path / "generic/t")
    documents = DirectoryDocuments(tmp_path)
    assert (1, [], []) == (len(drafts(tmp_path)), documents.names("generic"), documents.templates("generic"))
    assert [] == list(files_below(tmp_path, print))


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
def test_writes_are_changes_of_their_files_alone(tmp_path: Path) -> None:
    """A watch keeps the names of changed files, and each draft has another."""
    with closing(watch(tmp_path, {})) as changes:
        assert set() == changes.names()
        write(tmp_path / "g.json", b"{}")
        assert {"g.json"} == changes.names()


def test_drafts_of_assets_are_not_listed(tmp_path: Path) -> None:
    """While an export writes them."""
    write(tmp_path / "vmlinuz", b"kernel")
    assets = AssetDirectory(tmp_path)
    with replacing(tmp_path / "initramfs"):
        assert DirectoryListing(files=["vmlinuz"], directories=[]) == assets.listing("")
