"""`matchboxctl ipxe fetch` of Debian's packages."""

from pathlib import Path

import pytest

from tests.boot.firmware import NEW_IPXE
from tests.rigs.debian_packages import Package
from tests.support.commands import Commands

pytestmark = [pytest.mark.real, pytest.mark.nightly]

OLD_IPXE = Package("bookworm", "amd64", "ipxe", NEW_IPXE.keep)
FILES = {"undionly.kpxe": "undionly.kpxe", "ipxe.efi": "ipxe-amd64.efi", "ipxe-arm64.efi": "ipxe-arm64.efi"}


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes]) -> Commands:
    return Commands(capsysbinary)


def test_debian_13_has_all_programs(tmp_path: Path, run: Commands) -> None:
    source = NEW_IPXE.directory / "usr" / "lib" / "ipxe"
    assert 0 == run("ipxe", "fetch", "--from", source, "--into", tmp_path).code
    for name, original in FILES.items():
        assert (source / original).read_bytes() == (tmp_path / name).read_bytes()


def test_debian_12_has_those_of_x86(tmp_path: Path, run: Commands) -> None:
    """Its `ipxe.efi` is a link to /boot, where this package has it once it is installed."""
    source = OLD_IPXE.directory / "usr" / "lib" / "ipxe"
    ended = run("ipxe", "fetch", "--from", source, "--into", tmp_path)
    assert 1 == ended.code
    assert f"{source} has no ipxe-arm64.efi: install" in ended.err
    assert {"undionly.kpxe", "ipxe.efi"} == {path.name for path in tmp_path.iterdir()}
    assert (source / "snponly.efi").read_bytes() == (tmp_path / "ipxe.efi").read_bytes()
