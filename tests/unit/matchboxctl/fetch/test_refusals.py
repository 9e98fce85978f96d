"""Files, metadata and arguments that are refused: nothing of them is placed."""

import json
import re
from pathlib import Path

import pytest

from matchboxctl.cli.errors import UsageError
from matchboxctl.fetch.command import fetch
from tests.support.release_server import ReleaseServer
from tests.unit.matchboxctl.fetch.releases import (
    FEDORA,
    INITRAMFS,
    INITRAMFS_PATH,
    NEW,
    OLD,
    RETRIES,
    ROOTFS_PATH,
    fedora,
    flatcar,
    named,
    placed,
    refusal,
)

pytestmark = pytest.mark.system


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
