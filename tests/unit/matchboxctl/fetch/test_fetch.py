"""Files of Flatcar and Fedora CoreOS from servers like theirs: verified, resumed, and placed as a whole."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from matchboxctl.cli.errors import InterruptedCommandError
from matchboxctl.directory.assets import AssetDirectory
from matchboxctl.directory.files import files_below
from matchboxctl.fetch.command import Wanted, fetch
from matchboxctl.fetch.server import Server
from matchboxctl.main import main
from tests.support.paths import EXAMPLES
from tests.support.release_server import ReleaseServer
from tests.unit.matchboxctl.fetch.releases import (
    FEDORA,
    INITRAMFS,
    INITRAMFS_PATH,
    NEW,
    OLD,
    RETRIES,
    fedora,
    fingerprint,
    flatcar,
    named,
    placed,
    refusal,
)

pytestmark = pytest.mark.system


def test_newest_and_named_versions(
    server: ReleaseServer, keys: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add_flatcar("1.0.0", OLD)
    server.add_flatcar("2.0.0", NEW)
    fetch(flatcar(server), data, keys, RETRIES)
    assert named(NEW) == placed(data)
    signed = f"signed by {fingerprint('flatcar')}"
    assert [
        f"vmlinuz: fetched ({signed})",
        f"initramfs.cpio.gz: fetched ({signed})",
        f"flatcar 2.0.0 (stable, x86_64) is in {data}/assets/flatcar/x86_64",
    ] == capsys.readouterr().out.splitlines()
    # What the channel's newest version is may change during a download.
    assert [] == server.requested(f"current/flatcar_production_pxe{INITRAMFS}")
    fetch(flatcar(server, "1.0.0"), data, keys, RETRIES)
    assert named(OLD) == placed(data)


@pytest.mark.parametrize("with_key", [False, True])
def test_fedora_coreos_by_checksums_and_by_signatures(
    server: ReleaseServer, keys: Path, data: Path, with_key: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add_fedora("41.1", {name: body[::-1] for name, body in FEDORA.items()})
    server.add_fedora("42.1", FEDORA)
    for version in ("", "41.1", "42.1"):
        fetch(fedora(server, version), data, keys if with_key else None, RETRIES)
        assert "" == capsys.readouterr().err
    assert named(FEDORA) == placed(data, "fedora-coreos")
    assert with_key == any(each.path.endswith(".sig") for each in server.requests)


def test_files_lie_where_the_examples_expect_them(server: ReleaseServer, keys: Path, data: Path) -> None:
    server.add_flatcar("2.0.0", NEW)
    server.add_fedora("42.1", FEDORA)
    fetch(flatcar(server), data, keys, RETRIES)
    fetch(fedora(server), data, keys, RETRIES)
    assets = {path for path, _ in files_below(data / "assets", pytest.fail)}
    for project in ("flatcar", "fedora-coreos"):
        profile = (EXAMPLES / f"{project}/profiles/{project}.json").read_text()
        expected = set(re.findall(rf"assets/({project}/[\w./-]+)", profile))
        assert expected == {path for path in assets if path.startswith(f"{project}/")}


def test_good_files_are_not_fetched_again(
    server: ReleaseServer, keys: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add_flatcar("2.0.0", NEW)
    fetch(flatcar(server), data, keys, RETRIES)
    (data / "assets/flatcar/x86_64/vmlinuz").write_bytes(b"damaged")
    server.requests.clear()
    capsys.readouterr()
    fetch(flatcar(server), data, keys, RETRIES)
    assert named(NEW) == placed(data)
    assert ([""], []) == (server.requested(".vmlinuz"), server.requested(INITRAMFS))
    assert ["initramfs.cpio.gz: up to date", "vmlinuz: fetched"] == [
        line.partition(" (")[0] for line in capsys.readouterr().out.splitlines()[:2]
    ]


def test_broken_connections_are_resumed(server: ReleaseServer, keys: Path, data: Path) -> None:
    server.add_flatcar("2.0.0", NEW)
    server.cuts[INITRAMFS_PATH] = 5000
    fetch(flatcar(server), data, keys, RETRIES)
    assert named(NEW) == placed(data)
    assert ["", "bytes=5000-"] == server.requested(INITRAMFS)


def test_server_without_ranges_sends_the_whole_again(server: ReleaseServer, keys: Path, data: Path) -> None:
    server.add_flatcar("2.0.0", NEW)
    server.has_ranges = False
    server.cuts[INITRAMFS_PATH] = 5000
    fetch(flatcar(server), data, keys, RETRIES)
    assert named(NEW) == placed(data)


def test_killed_download_goes_on_where_it_ended(server: ReleaseServer, keys: Path, data: Path) -> None:
    server.add_flatcar("1.0.0", OLD)
    fetch(flatcar(server), data, keys, RETRIES)
    server.add_flatcar("2.0.0", NEW)
    server.stalls[INITRAMFS_PATH] = 9000
    partial = data / "assets/flatcar/x86_64/.fetch/2.0.0/initramfs.cpio.gz"
    command = [sys.executable, "-m", "matchboxctl.main", "fetch", "flatcar", "--server", server.url]
    with subprocess.Popen([*command, "--into", str(data), "--key", str(keys)], stdout=subprocess.DEVNULL) as process:
        await_(lambda: partial.exists() and partial.stat().st_size == 9000)
        assert f"another `matchboxctl fetch` works in {partial.parents[1]}" == refusal(flatcar(server), data, keys)
        process.send_signal(signal.SIGKILL)
    server.resume.set()
    # Until all files are good, the old ones are served, and parts are neither assets nor imported.
    assert named(OLD) == {name: body for name, body in placed(data).items() if not name.startswith(".fetch/")}
    assert 2 == len(list(files_below(data / "assets", pytest.fail)))
    listing = AssetDirectory(data / "assets").listing("flatcar/x86_64")
    assert listing is not None
    assert ([], ["initramfs.cpio.gz", "vmlinuz"]) == (listing.directories, sorted(listing.files))
    server.requests.clear()
    fetch(flatcar(server), data, keys, RETRIES)
    assert named(NEW) == placed(data)
    # The kernel was complete.
    assert (["bytes=20000-"], ["bytes=9000-"]) == (server.requested(".vmlinuz"), server.requested(INITRAMFS))


def await_(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_interruption_says_what_is_kept(
    server: ReleaseServer, keys: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.add_flatcar("2.0.0", NEW)
    server.cuts[INITRAMFS_PATH] = 9000

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupted)
    scratch = data / "assets/flatcar/x86_64/.fetch"
    with pytest.raises(InterruptedCommandError) as caught:
        fetch(flatcar(server), data, keys, RETRIES)
    why = f"interrupted: what has arrived is kept in {scratch}, and the same command goes on from there"
    assert why == str(caught.value)
    assert 9000 == (scratch / "2.0.0/initramfs.cpio.gz").stat().st_size


def test_parts_of_another_version_are_removed(server: ReleaseServer, keys: Path, data: Path) -> None:
    scratch = data / "assets/flatcar/x86_64/.fetch/1.0.0"
    scratch.mkdir(parents=True)
    (scratch / "vmlinuz").write_bytes(b"part")
    server.add_flatcar("2.0.0", NEW)
    fetch(flatcar(server), data, keys, RETRIES)
    assert named(NEW) == placed(data)
    assert not scratch.parent.exists()


def test_part_of_another_file_is_fetched_anew(
    server: ReleaseServer, keys: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file was changed on the server between two attempts, or the part is damaged."""
    server.add_fedora("42.1", FEDORA)
    scratch = data / "assets/fedora-coreos/x86_64/.fetch/42.1"
    scratch.mkdir(parents=True)
    (scratch / "rootfs.img").write_bytes(b"R" * 600)
    (scratch / "vmlinuz").write_bytes(b"longer than the kernel" * 5000)
    fetch(fedora(server), data, keys, RETRIES)
    assert named(FEDORA) == placed(data, "fedora-coreos")
    assert ["bytes=600-", ""] == server.requested("live-rootfs")
    assert "; it is fetched anew as a whole\n" in capsys.readouterr().err


def test_file_that_changes_during_its_download_is_fetched_anew(
    server: ReleaseServer, keys: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add_flatcar("2.0.0", OLD)
    before = dict(server.files)
    server.add_flatcar("2.0.0", NEW)
    server.changes = dict(server.files)
    server.files = before
    server.cuts[INITRAMFS_PATH] = 5000
    fetch(flatcar(server), data, keys, RETRIES)
    assert NEW[INITRAMFS] == placed(data)["initramfs.cpio.gz"]
    assert ["", "bytes=5000-", ""] == server.requested(INITRAMFS)
    assert "; it is fetched anew as a whole\n" in capsys.readouterr().err


def test_full_disk_is_named(server: ReleaseServer, keys: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.add_flatcar("2.0.0", NEW)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    scratch = data / "assets/flatcar/x86_64/.fetch"
    assert f"{scratch}: No space left on device" == refusal(flatcar(server), data, keys)


def test_command_writes_to_a_directory_in_both_modes(
    server: ReleaseServer, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add_fedora("42.1", FEDORA)
    monkeypatch.setenv("MATCHBOX_TABLE", "t")
    monkeypatch.setenv("MATCHBOX_BUCKET", "b")
    arguments = ["fetch", "fedora-coreos", "-server", server.url]
    assert 2 == main(arguments)
    assert "fetch writes to a directory: give --into DIR" in capsys.readouterr().err
    assert 2 == main([*arguments, "--into", "/nowhere"])
    monkeypatch.delenv("MATCHBOX_TABLE")
    assert 2 == main(["--stack", "boot", *arguments])
    assert "fetch writes to a directory: give --into DIR" in capsys.readouterr().err
    assert 0 == main([*arguments, "--into", str(data)])
    assert named(FEDORA) == placed(data, "fedora-coreos")


def test_addresses_are_the_projects_own() -> None:
    assert "https://beta.release.flatcar-linux.net" == Wanted("flatcar", "beta", "", "x86_64", "").address
    assert "https://builds.coreos.fedoraproject.org" == Wanted("fedora-coreos", "next", "", "x86_64", "").address
    server = Server("https://mirror.example/fcos/", None, RETRIES)  # type: ignore[arg-type]
    assert "/fcos/streams/a" == server.at("streams/a").target
