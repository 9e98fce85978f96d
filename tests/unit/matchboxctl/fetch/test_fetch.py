"""Files of Flatcar and Fedora CoreOS from servers like theirs: verified, resumed, and placed as a whole."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lambda_matchbox.backoff import Backoff
from lambda_matchbox.oci.distribution.retries import RetryPolicy
from matchboxctl.cli.errors import FailedError, InterruptedCommandError, UsageError
from matchboxctl.directory.assets import AssetDirectory
from matchboxctl.directory.files import files_below
from matchboxctl.fetch.command import Wanted, fetch
from matchboxctl.fetch.server import Server
from matchboxctl.main import main
from tests.support.paths import EXAMPLES
from tests.support.release_server import ReleaseServer, key, public, release_server

pytestmark = pytest.mark.system

RETRIES = RetryPolicy(attempts=3, backoff=Backoff(first=0.001, longest=0.001))
OLD = {".vmlinuz": b"old kernel" * 1000, "_image.cpio.gz": b"old initramfs" * 1000}
NEW = {".vmlinuz": b"new kernel" * 2000, "_image.cpio.gz": b"new initramfs" * 2000}
FEDORA = {"kernel": b"kernel" * 1000, "initramfs": b"initramfs" * 1000, "rootfs": b"rootfs" * 10_000}
INITRAMFS = "_image.cpio.gz"
INITRAMFS_PATH = f"/amd64-usr/2.0.0/flatcar_production_pxe{INITRAMFS}"
ROOTFS_PATH = "/prod/streams/stable/builds/42.1/x86_64/fedora-coreos-42.1-live-rootfs"


@pytest.fixture
def server() -> Iterator[ReleaseServer]:
    with release_server() as server:
        yield server


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A file with several keys."""
    file = tmp_path / "keys.asc"
    file.write_bytes(public("other", "flatcar", "fedora"))
    return file


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def flatcar(server: ReleaseServer, version: str = "", arch: str = "x86_64") -> Wanted:
    return Wanted("flatcar", "stable", version, arch, server.url)


def fedora(server: ReleaseServer, version: str = "", channel: str = "stable") -> Wanted:
    return Wanted("fedora-coreos", channel, version, "x86_64", server.url)


def placed(data: Path, project: str = "flatcar") -> dict[str, bytes]:
    """All files below the project's directory, parts included."""
    root = data / "assets" / project / "x86_64"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def named(bodies: dict[str, bytes]) -> dict[str, bytes]:
    names = {".vmlinuz": "vmlinuz", INITRAMFS: "initramfs.cpio.gz"}
    names |= {"kernel": "vmlinuz", "initramfs": "initramfs.img", "rootfs": "rootfs.img"}
    return {names[name]: body for name, body in bodies.items()}


def fingerprint(name: str) -> str:
    return str(key(name).extract_certificate().fingerprint).upper()


def refusal(wanted: Wanted, data: Path, file: Path | None) -> str:
    with pytest.raises(FailedError) as caught:
        fetch(wanted, data, file, RETRIES)
    return str(caught.value)


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


def test_signature_by_another_key_is_refused(server: ReleaseServer, keys: Path, data: Path) -> None:
    server.add_flatcar("1.0.0", OLD)
    fetch(flatcar(server), data, keys, RETRIES)
    server.add_flatcar("2.0.0", NEW, "stranger")
    said = refusal(flatcar(server), data, keys)
    assert said.startswith(f"vmlinuz is refused: its signature is not a good one by a key in {keys} (it names the key ")
    assert named(OLD) == placed(data)


@pytest.mark.parametrize("what", ["changed", "truncated", "signature", "not one", "absent"])
def test_damaged_files_and_signatures_are_refused(server: ReleaseServer, keys: Path, data: Path, what: str) -> None:
    server.add_flatcar("2.0.0", NEW)
    match what:
        case "changed":
            server.files[INITRAMFS_PATH] = NEW[INITRAMFS].replace(b"new", b"bad", 1)
        case "truncated":
            server.files[INITRAMFS_PATH] = NEW[INITRAMFS][:-1]
        case "signature":
            server.files[f"{INITRAMFS_PATH}.sig"] = server.files[INITRAMFS_PATH.replace(INITRAMFS, ".vmlinuz") + ".sig"]
        case "not one":
            server.files[f"{INITRAMFS_PATH}.sig"] = b"<html>"
        case "absent":
            del server.files[f"{INITRAMFS_PATH}.sig"]
    said = refusal(flatcar(server), data, keys)
    why = "has no signature of initramfs.cpio.gz: /amd64-usr/" if what == "absent" else "initramfs.cpio.gz is refused: "
    assert why in said
    # The kernel, which is good, is not placed alone.
    assert [] == [name for name in placed(data) if not name.startswith(".fetch/")]


def test_wrong_checksum_is_refused(server: ReleaseServer, data: Path) -> None:
    server.add_fedora("42.1", FEDORA)
    server.files[ROOTFS_PATH] = FEDORA["rootfs"][::-1]
    said = refusal(fedora(server), data, None)
    assert re.fullmatch(r"rootfs\.img has the SHA-256 [0-9a-f]{64}, but [0-9a-f]{64} was published", said)
    assert [] == [name for name in placed(data, "fedora-coreos") if not name.startswith(".fetch/")]


def test_good_checksum_does_not_replace_a_signature(server: ReleaseServer, keys: Path, data: Path) -> None:
    server.add_fedora("42.1", FEDORA, "stranger")
    assert "vmlinuz is refused: its signature is not a good one" in refusal(fedora(server), data, keys)


def test_absent_versions_and_channels_name_what_there_is(server: ReleaseServer, keys: Path, data: Path) -> None:
    host = server.url.removeprefix("http://")
    assert f"{host} has no amd64-usr/current/version.txt, as the server of a channel has" == refusal(
        flatcar(server), data, keys
    )
    server.add_flatcar("2.0.0", NEW)
    assert f"{host} has no version '9.0.0' for x86_64; the newest is 2.0.0" == refusal(
        flatcar(server, "9.0.0"), data, keys
    )
    why = f"{host} has no channel 'stabel'; channels are stable, testing, next"
    assert why == refusal(fedora(server, channel="stabel"), data, None)
    assert why == refusal(fedora(server, "42.1", channel="stabel"), data, None)
    for version in ("41.1", "41.2", "42.1"):
        server.add_fedora(version, FEDORA)
    assert f"{host} has no version '9' in the channel stable; the newest are 42.1, 41.2, 41.1" == refusal(
        fedora(server, "9"), data, None
    )
    assert "streams/stable.json has no 'aarch64'; it has x86_64" == refusal(
        fedora(server)._replace(arch="aarch64"), data, None
    )
    assert not list(data.rglob(".fetch"))


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("location", "https://evil.example/k", "names 'https://evil.example/k' for vmlinuz, which is not below"),
        ("sha256", "0", "has no valid SHA-256 of vmlinuz"),
        ("release", "../../x", "has an invalid version '../../x'"),
    ],
)
def test_forged_metadata_is_refused(server: ReleaseServer, data: Path, path: str, value: str, why: str) -> None:
    server.add_fedora("42.1", FEDORA)
    document = json.loads(server.files["/streams/stable.json"])
    metal = document["architectures"]["x86_64"]["artifacts"]["metal"]
    (metal if path == "release" else metal["formats"]["pxe"]["kernel"])[path] = value
    server.files["/streams/stable.json"] = json.dumps(document).encode()
    assert why in refusal(fedora(server), data, None)
    server.files["/streams/stable.json"] = b"<html>"
    assert "streams/stable.json is not JSON" in refusal(fedora(server), data, None)


def test_flatcar_needs_a_key(server: ReleaseServer, data: Path) -> None:
    with pytest.raises(UsageError, match=r"^--key FILE is required: only signatures vouch for Flatcar's files\."):
        fetch(flatcar(server), data, None, RETRIES)
    assert [] == server.requests


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (
            {"server": "http://10.0.0.1/"},
            "--server: 10.0.0.1 uses http, which is allowed for 127.0.0.1 only; use https",
        ),
        ({"channel": "a/b"}, "invalid --channel 'a/b'"),
        ({"version": "../1"}, "invalid --version '../1'"),
    ],
)
def test_invalid_arguments(server: ReleaseServer, data: Path, changes: dict[str, str], why: str) -> None:
    with pytest.raises(UsageError) as caught:
        fetch(fedora(server)._replace(**changes), data, None, RETRIES)
    assert why == str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not a key", None])
def test_file_without_keys_is_refused(server: ReleaseServer, data: Path, tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "none.asc"
    if content is not None:
        file.write_bytes(content)
    why = "No such file or directory" if content is None else "no OpenPGP key in this file"
    with pytest.raises(UsageError, match=f"^--key {file}: {why}$"):
        fetch(flatcar(server), data, file, RETRIES)


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
