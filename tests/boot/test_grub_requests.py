"""GRUB's requests and the responses of `matchboxctl serve`."""

import gzip
from pathlib import Path

import pytest

from tests.boot.clients import boot
from tests.boot.exchanges import Exchange, relayed
from tests.boot.fleet import KERNEL, named, write_data_directory
from tests.boot.networks import Servers
from tests.support.serving import serving

pytestmark = [pytest.mark.boot, pytest.mark.nightly]


def test_grub_gets_a_kernel_without_a_redirect(tmp_path: Path) -> None:
    [exchange] = kernel_exchanges("grub-2.06", tmp_path)
    assert (None, 200) == (exchange.request.field("range"), exchange.response.status)
    assert str((tmp_path / "data" / KERNEL[1:]).stat().st_size) == exchange.response.field("content-length")


def test_grub_restarts_a_gzipped_kernel_by_range(tmp_path: Path) -> None:
    """GRUB 2.12 looks at its end, then requests `bytes=0-` and gets 206."""
    whole, end, again = kernel_exchanges("grub-2.12", tmp_path, compressed=True)
    size = (tmp_path / "data" / KERNEL[1:]).stat().st_size
    assert (None, 200) == (whole.request.field("range"), whole.response.status)
    start = (end.request.field("range") or "").removeprefix("bytes=").removesuffix("-")
    assert (206, f"bytes {start}-{size - 1}/{size}") == (end.response.status, end.response.field("content-range"))
    assert "bytes=0-" == again.request.field("range")
    assert (206, f"bytes 0-{size - 1}/{size}") == (again.response.status, again.response.field("content-range"))


def kernel_exchanges(name: str, directory: Path, *, compressed: bool = False) -> list[Exchange]:
    """What a boot to the machine's own configuration asked for the kernel, which may be gzipped."""
    member, data, scratch = named(name), directory / "data", directory / "machine"
    scratch.mkdir()
    data.mkdir()
    with serving(data) as port, relayed(port) as relay:
        write_data_directory(data, member, relay.port)
        if compressed:
            kernel = data / KERNEL[1:]
            kernel.write_bytes(gzip.compress(kernel.read_bytes(), compresslevel=1))
        result = boot(member.client, Servers(relay.port), member.machine, scratch)
    assert member.configuration == result.configuration, result.console
    return relay.exchanges(KERNEL)
