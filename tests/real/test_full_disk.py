"""Writers on a disk that is full or read-only: one line names the file, and what was there stays."""

import json
import sys
from pathlib import Path
from typing import Literal, NamedTuple

import pytest

from lambda_matchbox.releases.pointers import Pointer, Release
from matchboxctl.directory.releases import DirectoryReleaseStore
from matchboxctl.main import main
from tests.rigs.oci_registry import OciRegistry
from tests.rigs.service import Service
from tests.rigs.small_disk import run_on_disk
from tests.rigs.stores import Stores, new_stores
from tests.support.images.layers import Entry, gzipped
from tests.support.images.manifests import image

pytestmark = pytest.mark.real

FULL = "No space left on device"
REFUSALS = {"full": FULL, "read-only": "Read-only file system"}
Kind = Literal["full", "read-only"]


class Disk(NamedTuple):
    """`data` is copied to a disk at `path`, which commands write to, and back."""

    path: Path
    data: Path

    def run(self, kind: Kind, *arguments: str | Path) -> tuple[int, str, list[str]]:
        """Exit code, standard output, lines of standard error."""
        command = [sys.executable, "-m", "matchboxctl.main", *arguments]
        ended = run_on_disk(kind, self.path, self.data, command)
        return ended.returncode, ended.stdout, ended.stderr.splitlines()

    def files(self) -> dict[str, bytes]:
        """The files that the disk holds after a command."""
        return {str(file.relative_to(self.data)): file.read_bytes() for file in self.data.rglob("*") if file.is_file()}


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    disk = Disk(tmp_path / "disk", tmp_path / "data")
    disk.path.mkdir()
    for directory in ("groups", "generic"):
        (disk.data / directory).mkdir(parents=True)
    (disk.data / "groups/g.json").write_text('{"profile": "old"}')
    (disk.data / "generic/t").write_text("old")
    return disk


@pytest.fixture
def stores(moto_server: Service, monkeypatch: pytest.MonkeyPatch) -> Stores:
    stores = new_stores(moto_server, moto_server)
    for name, value in stores.environment().items():
        monkeypatch.setenv(name, value)
    return stores


@pytest.mark.parametrize("kind", REFUSALS)
def test_export(disk: Disk, stores: Stores, tmp_path: Path, kind: Kind) -> None:
    """Nothing that failed is counted."""
    assert stores is not None
    source = tmp_path / "source"
    for path, text in {"groups/g.json": "{}", "generic/t": "new", "assets/a/vmlinuz": "kernel"}.items():
        (source / path).parent.mkdir(parents=True)
        (source / path).write_text(text)
    assert 0 == main(["init"])
    assert 0 == main(["import", str(source)])
    before = disk.files()
    code, out, errors = disk.run(kind, "export", disk.path)
    assert (1, "files: 0 added, 0 changed, 0 removed, 0 unchanged\n") == (code, out)
    expected = [f"matchboxctl: {disk.path}/{path}: cannot be written: {REFUSALS[kind]}" for path in files_of(source)]
    assert expected == sorted(errors[1:-1])
    assert before == disk.files()


def files_of(root: Path) -> list[str]:
    return sorted(str(file.relative_to(root)) for file in root.rglob("*") if file.is_file())


@pytest.mark.parametrize("kind", REFUSALS)
@pytest.mark.parametrize("name", ["t", "new/t"])
def test_create(disk: Disk, tmp_path: Path, kind: Kind, name: str) -> None:
    (tmp_path / "file").write_text("text")
    before = disk.files()
    ended = disk.run(kind, "generic", "create", "-f", tmp_path / "file", "--name", name, "--data-path", disk.path)
    assert (1, "", [f"matchboxctl: open {disk.path}/generic/{name}: {REFUSALS[kind].lower()}"]) == ended
    assert before == disk.files()


@pytest.mark.parametrize(("kind", "file"), [("full", "pointers.json"), ("read-only", ".lock")])
def test_rollback(disk: Disk, kind: Kind, file: str) -> None:
    releases = (Release("sha256:new", "new", 2), Release("sha256:old", "old", 1, 2))
    DirectoryReleaseStore(disk.data / "releases", "talos").move(
        None, Pointer("talos", "sha256:new", held=False, releases=releases)
    )
    before = disk.files()
    ended = disk.run(kind, "rollback", "talos", "--data-path", disk.path)
    assert (1, "", [f"matchboxctl: {disk.path}/releases/{file}: {REFUSALS[kind]}"]) == ended
    assert before == disk.files()


def test_sync(disk: Disk, oci_registry: OciRegistry) -> None:
    files = (Entry("talos/arm64/vmlinuz", b"kernel"), Entry("talos/arm64/initramfs.xz", b"initramfs"))
    address = oci_registry.push(image([gzipped(*files)]), "public/full-disk", "stable")
    (disk.data / "sources").mkdir()
    (disk.data / "sources/talos.json").write_text(json.dumps({"id": "talos", "image": address, "assets": "talos"}))
    code, out, (line, _) = disk.run("full", "sync", "--data-path", disk.path)
    assert (1, "") == (code, out)
    assert line.endswith(f"cannot extract the files: {disk.path}/releases/talos/.sync: {FULL}")
    assert {"releases/talos/.lock", *files_of(disk.data)} == disk.files().keys()


@pytest.mark.parametrize("kind", REFUSALS)
def test_certificates(disk: Disk, kind: Kind) -> None:
    before = disk.files()
    code, out, (line,) = disk.run(kind, "certs", disk.path / "certs", "--name", "localhost")
    assert (1, "") == (code, out)
    assert f"matchboxctl: {disk.path}/certs cannot be written: {REFUSALS[kind]}; nothing was written" == line
    assert before == disk.files()
