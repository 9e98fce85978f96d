"""`matchboxctl ipxe fetch`."""

import hashlib
import platform
from pathlib import Path

import pytest

from matchboxctl.dhcp.firmware import FIRMWARE
from matchboxctl.ipxe import command
from matchboxctl.ipxe.binaries import BINARIES
from tests.support.commands import Commands
from tests.support.data_files import write_files

BIOS = "\x00kpxe"
DEBIAN_12 = {"undionly.kpxe": BIOS, "ipxe.efi": "x86_64"}
DEBIAN_13 = {"undionly.kpxe": BIOS, "ipxe.efi": "x86_64", "ipxe-amd64.efi": "x86_64", "ipxe-arm64.efi": "arm64"}
FEDORA = {"undionly.kpxe": BIOS, "ipxe-x86_64.efi": "x86_64", "ipxe-i386.efi": "i386", "arm64-efi/ipxe.efi": "arm64"}
RHEL_10 = {"undionly.kpxe": BIOS, "ipxe-snponly-x86_64.efi": "x86_64", "arm64-efi/snponly.efi": "arm64"}
BUILD = {"bin/undionly.kpxe": BIOS, "bin-x86_64-efi/ipxe.efi": "x86_64", "bin-arm64-efi/ipxe.efi": "arm64"}
MACHINES = {"x86_64": 0x8664, "arm64": 0xAA64, "i386": 0x14C}
NAMES = ["undionly.kpxe", "ipxe.efi", "ipxe-arm64.efi"]


def efi(arch: str) -> bytes:
    """The beginning of a UEFI program."""
    return (
        b"MZ".ljust(0x3C, b"\0") + b"\x80\0\0\0".ljust(0x44, b"\0") + b"PE\0\0" + MACHINES[arch].to_bytes(2, "little")
    )


def place(directory: Path, files: dict[str, str]) -> Path:
    for name, kind in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(efi(kind) if kind in MACHINES else kind.encode())
    return directory


def kinds(directory: Path) -> dict[str, str]:
    known = {efi(arch): arch for arch in MACHINES} | {BIOS.encode(): BIOS}
    return {path.name: known[path.read_bytes()] for path in directory.iterdir()}


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes]) -> Commands:
    return Commands(capsysbinary)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where packages put their files."""
    monkeypatch.setattr(command, "DIRECTORIES", (str(tmp_path / "lib"), str(tmp_path / "share")))
    return tmp_path


def test_names_are_those_that_dhcp_gives() -> None:
    assert {each.file for each in FIRMWARE} == {each.name for each in BINARIES}


@pytest.mark.parametrize("files", [DEBIAN_13, FEDORA, RHEL_10, BUILD])
def test_each_layout_gives_a_program_for_each_processor(files: dict[str, str], tmp_path: Path, run: Commands) -> None:
    ended = run("ipxe", "fetch", "--from", place(tmp_path / "from", files), "--into", tmp_path / "tftp")
    assert 0 == ended.code, ended.err
    assert dict(zip(NAMES, [BIOS, "x86_64", "arm64"], strict=True)) == kinds(tmp_path / "tftp")
    assert hashlib.sha256(efi("arm64")).hexdigest() in ended.out


def test_installed_packages_are_found(packages: Path, run: Commands) -> None:
    """QEMU's package has the first directory with other files."""
    place(packages / "lib", {"pxe-virtio.rom": BIOS})
    place(packages / "share", FEDORA)
    both = ("--into", packages / "tftp", "--into", packages / "assets")
    assert 0 == run("ipxe", "fetch", *both).code
    assert {*NAMES} == kinds(packages / "tftp").keys() == kinds(packages / "assets").keys()
    assert 6 == run("ipxe", "fetch", *both).out.count("up to date")


@pytest.mark.parametrize(
    ("release", "advised", "not_advised"),
    [
        ({"ID": "ubuntu", "ID_LIKE": "debian"}, "apt-get", "dnf"),
        ({"ID": "fedora"}, "dnf", "apt-get"),
        ({}, "dnf", "zypper"),
    ],
)
def test_what_is_missing_is_named_with_its_package(
    release: dict[str, str],
    advised: str,
    not_advised: str,
    packages: Path,
    run: Commands,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is there is copied."""
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: release)
    place(packages / "lib", DEBIAN_12)
    ended = run("ipxe", "fetch", "--into", packages / "tftp")
    assert 1 == ended.code
    assert "no ipxe-arm64.efi: " in ended.err
    assert (True, False) == (advised in ended.err, not_advised in ended.err)
    assert {"undionly.kpxe", "ipxe.efi"} == kinds(packages / "tftp").keys()
    assert 0 == run("ipxe", "fetch", "--into", packages / "tftp", "--arch", "x86_64").code


def test_another_file_is_replaced_by_force_only(tmp_path: Path, run: Commands) -> None:
    source, target = place(tmp_path / "from", DEBIAN_13), place(tmp_path / "tftp", {"ipxe.efi": "i386"})
    arguments = ("ipxe", "fetch", "--from", source, "--into", target)
    assert f"other files are there, replaced with --force only: {target}/ipxe.efi" in run.refused(*arguments)[-1]
    assert {"ipxe.efi": "i386"} == kinds(target)
    assert 0 == run(*arguments, "--force").code
    assert "x86_64" == kinds(target)["ipxe.efi"]


def test_programs_of_other_processors_are_passed_over(tmp_path: Path, run: Commands) -> None:
    """`ipxe.efi` of a build for ARM64 is not for x86-64."""
    source = place(tmp_path / "from", {"ipxe.efi": "arm64", "ipxe-arm64.efi": "<html>"})
    ended = run("ipxe", "fetch", "--from", source, "--into", tmp_path / "tftp")
    assert 1 == ended.code
    assert f"{source} has no undionly.kpxe, ipxe.efi, ipxe-arm64.efi" in ended.err
    assert not (tmp_path / "tftp").exists()


@pytest.mark.parametrize("mark", [" ", "*", " ./"])
def test_sums_beside_the_files_have_to_be_right(mark: str, tmp_path: Path, run: Commands) -> None:
    source, target = place(tmp_path / "from", BUILD), tmp_path / "tftp"
    right = {name: hashlib.sha256((source / name).read_bytes()).hexdigest() for name in BUILD}
    lines = [f"{sha256} {mark}{name}\n" for name, sha256 in right.items()]
    write_files(source, {"SHA256SUMS": "".join(lines)})
    assert 3 == run("ipxe", "fetch", "--from", source, "--into", target).out.count(", as in SHA256SUMS)")
    (source / "bin-arm64-efi" / "ipxe.efi").write_bytes(efi("arm64") + b"changed")
    ended = run("ipxe", "fetch", "--from", source, "--into", tmp_path / "other")
    assert 1 == ended.code
    assert f"but SHA256SUMS has {right['bin-arm64-efi/ipxe.efi']}" in ended.err
    assert not (tmp_path / "other").exists()


def test_a_missing_directory_is_wrong_usage(tmp_path: Path, run: Commands) -> None:
    assert "is not a directory" in run.refused("ipxe", "fetch", "--from", tmp_path / "absent")[-1]


def test_a_directory_that_cannot_be_written_fails(tmp_path: Path, run: Commands) -> None:
    (tmp_path / "tftp").write_text("a file")
    ended = run("ipxe", "fetch", "--from", place(tmp_path / "from", BUILD), "--into", tmp_path / "tftp")
    assert (1, "") == ended[:2]
    assert "cannot be written" in ended.err
