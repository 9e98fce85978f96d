"""The addresses in kernel arguments."""

import pytest

from matchboxctl.netboot.addresses import Address, Expected, Reader, addresses_in
from matchboxctl.netboot.script import ScriptFile, script_files

IGNITION = "${cwduri}ignition?uuid=${uuid}"


@pytest.mark.parametrize(
    ("argument", "address"),
    [
        (f"talos.config={IGNITION}", Address("talos.config", IGNITION, Expected.CONFIGURATION, Reader.TALOS)),
        ("talos.config=/ignition", Address("talos.config", "/ignition", Expected.CONFIGURATION, Reader.TALOS)),
        (
            "ignition.config.url=${base}i",
            Address("ignition.config.url", "${base}i", Expected.CONFIGURATION, Reader.IGNITION),
        ),
        (
            "coreos.config.url=http://h/i",
            Address("coreos.config.url", "http://h/i", Expected.CONFIGURATION, Reader.IGNITION),
        ),
        ("coreos.live.rootfs_url=https://h/r", Address("coreos.live.rootfs_url", "https://h/r", Expected.FILE)),
        (
            "cloud-config-url=http://h/c",
            Address("cloud-config-url", "http://h/c", Expected.CONFIGURATION, Reader.CLOUD_INIT),
        ),
        ("inst.ks=http://h/g", Address("inst.ks", "http://h/g", Expected.CONFIGURATION, Reader.KICKSTART)),
        ("inst.stage2=http://h/os/", Address("inst.stage2", "http://h/os/", Expected.TREE)),
        ("root=live:http://h/squashfs.img", Address("root", "http://h/squashfs.img", Expected.FILE)),
        ("url=http://h/x.iso", Address("url", "http://h/x.iso", Expected.ANY)),
        ("some.other=${cwduri}assets/x", Address("some.other", "${cwduri}assets/x", Expected.ANY)),
        ("alpine_repo=http://h/main", Address("alpine_repo", "http://h/main", Expected.REPOSITORY)),
        ("http_proxy=http://proxy:3128", Address("http_proxy", "http://proxy:3128", Expected.NOTHING)),
        ("ds=nocloud;s=http://h/seed/", Address("ds", "http://h/seed/", Expected.SEED, Reader.CLOUD_INIT)),
        (
            "ds=nocloud-net;h=name;seedfrom=http://h/seed/",
            Address("ds", "http://h/seed/", Expected.SEED, Reader.CLOUD_INIT),
        ),
        ('"ds=nocloud;s=http://h/seed/"', Address("ds", "http://h/seed/", Expected.SEED, Reader.CLOUD_INIT)),
    ],
)
def test_argument_has_an_address(argument: str, address: Address) -> None:
    assert [address] == addresses_in([argument])


def test_argument_has_addresses_joined_by_commas() -> None:
    found = addresses_in(["repos=http://h/a,${cwduri}b?x=1,${mac},https://h/c"])
    assert ["http://h/a", "${cwduri}b?x=1,${mac}", "https://h/c"] == [address.text for address in found]


@pytest.mark.parametrize(
    "argument",
    [
        "quiet",
        "console=ttyS0",
        "initrd=main",
        "talos.config=metal-iso",
        "cloud-config-url=/dev/null",
        "inst.ks=nfs:server:/ks.cfg",
        "inst.stage2=hd:LABEL=F",
        "root=/dev/sda1",
        "ds=nocloud",
        "x=tftp://h/f",
        "BOOTIF=${netX/mac:hexhyp}",
    ],
)
def test_other_arguments_have_none(argument: str) -> None:
    assert [] == addresses_in([argument])


def test_one_argument_may_hold_several() -> None:
    found = addresses_in(["console=tty0 a=http://h/a quiet", "b=http://h/b"])
    assert ["http://h/a", "http://h/b"] == [address.text for address in found]


def test_repository_beside_stage2_is_read_for_packages() -> None:
    alone, *_ = addresses_in(["inst.repo=http://h/os"])
    assert Expected.TREE is alone.expected
    both = addresses_in(["inst.repo=http://h/os", "inst.stage2=http://h/os"])
    assert [Expected.REPOSITORY, Expected.TREE] == [address.expected for address in both]


def test_script_has_files_in_order_with_arguments() -> None:
    script = (
        "#!ipxe\nkernel -n k --timeout 9 /k a=b c\ninitrd --name main /i\ninitrd --autofree /j\ninitrd -n x\nboot\n"
    )
    assert [
        ScriptFile("kernel", "/k", ("a=b", "c")),
        ScriptFile("initrd", "/i"),
        ScriptFile("initrd", "/j"),
        ScriptFile("initrd", ""),
    ] == script_files(script)
