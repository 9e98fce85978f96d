"""What GRUB asks `matchboxctl serve` for, and what it is answered."""

import gzip
from pathlib import Path

import pytest

from tests.boot.clients import boot
from tests.boot.exchanges import Exchange, relayed
from tests.boot.fleet import KERNEL, named, write_data_directory
from tests.boot.networks import Servers
from tests.support.serving import serving

pytestmark = [pytest.mark.boot, pytest.mark.nightly]


def test_grub_asks_once_for_a_kernel(tmp_path: Path) -> None:
    """GRUB 2.06 asks for the whole kernel and is answered with the bytes, not redirected."""
    [exchange] = kernel_exchanges("grub-2.06", tmp_path)
    assert (None, 200) == (exchange.request.field("range"), exchange.answer.status)
    assert str((tmp_path / "data" / KERNEL[1:]).stat().st_size) == exchange.answer.field("content-length")


def test_grub_asks_again_from_the_first_byte(tmp_path: Path) -> None:
    """GRUB 2.12 looks at the end of a gzipped kernel and starts again with `bytes=0-`, which is answered with 206."""
    whole, end, again = kernel_exchanges("grub-2.12", tmp_path, compressed=True)
    size = (tmp_path / "data" / KERNEL[1:]).stat().st_size
    assert (None, 200) == (whole.request.field("range"), whole.answer.status)
    start = (end.request.field("range") or "").removeprefix("bytes=").removesuffix("-")
    assert (206, f"bytes {start}-{size - 1}/{size}") == (end.answer.status, end.answer.field("content-range"))
    assert "bytes=0-" == again.request.field("range")
    assert (206, f"bytes 0-{size - 1}/{size}") == (again.answer.status, again.answer.field("content-range"))


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
