"""Boots through CloudFront to a Linux that gets its configuration over https, and prints it."""

import json
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.boot import firmware, guest, networks
from tests.boot.clients import CLIENTS, Client, boot, powered_on
from tests.boot.dhcp_network import HOST
from tests.boot.exchanges import Exchange, relayed
from tests.boot.fleet import identity, place
from tests.boot.installations import GROUP, SECRET, write_group, write_installation
from tests.boot.networks import Servers
from tests.boot.unified_kernel import unified_kernel
from tests.conformance.http_exchange import exchange
from tests.conformance.recordings import Recording, Response
from tests.rigs.oci_registry import OciRegistry
from tests.rigs.program import free_port
from tests.stack.place import BEHIND_CLOUDFRONT
from tests.support.images import manifests
from tests.support.images.layers import Entry, plain
from tools.template_translation import PROJECT

pytestmark = pytest.mark.boot

BINARY = "application/octet-stream"
SYNC = json.loads((PROJECT / "events" / "asset-sync-source.json").read_text())
DOMAIN = "d111111abcdef8.cloudfront.net"
MACHINE = identity(31)


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A directory for one boot."""
    directory = tmp_path / "machine"
    directory.mkdir()
    return directory


@pytest.mark.parametrize(
    ("client", "name"),
    [
        pytest.param(CLIENTS["bios-ipxe-new"], None, id="address"),
        *(pytest.param(each, DOMAIN, id=each.name, marks=pytest.mark.nightly) for each in CLIENTS.values()),
    ],
)
def test_machine_boots_with_files_that_no_function_sees(
    client: Client, name: str | None, new_place: Any, tmp_path: Path, scratch: Path
) -> None:
    """They come without a redirect, and the configuration over https only."""
    stack, data, https_port = new_place(**BEHIND_CLOUDFRONT), tmp_path / "data", free_port()
    domain = name or f"{HOST}:{https_port}"
    with stack.cloudfront(https_port=https_port, domain=domain) as door, relayed(door.port) as relay:
        write_installation(data, client, {"token": True}, relay.port, authority=door.authority.read_bytes())
        stack.stores.fill(data)
        result = boot(client, Servers(relay.port, https=https_port, name=name), MACHINE, scratch)
        assert SECRET == result.configuration, result.console
        for path in ("assets/vmlinuz", "assets/initramfs.gz", *client.first_stage):
            assert_served(relay.exchanges(f"/{path}"))
        paths = logged(door.functions["BootApi"].log())
        assert [] == [path for path in paths if path.startswith("/assets")]
        assert ("/generic", []) == (paths[-1], relay.exchanges("/generic"))
        # A listing is the function's: a file that went through it would have been in its log as well.
        exchange(door.port, Recording("", "GET", "/assets/", {}, Response(0, {}, b"")))
        assert "/assets/" == logged(door.functions["BootApi"].log())[-1]


@pytest.mark.nightly
@pytest.mark.parametrize(("path", "content_type"), [("assets/linux.efi", None), ("assets/linux", "application/efi")])
def test_firmware_boots_a_unified_kernel_image(
    path: str, content_type: str | None, new_place: Any, tmp_path: Path, scratch: Path
) -> None:
    """It takes it for a program by the ending of its name, as an import stores it, or by its type."""
    stack, client = new_place(**BEHIND_CLOUDFRONT), asking_for(path, "edk2-http")
    with stack.cloudfront(domain=DOMAIN) as door, relayed(door.port) as relay:
        initramfs = guest.initramfs("amd64", talos=True, authority=door.authority.read_bytes())
        image = image_for(client, initramfs, f"https://{DOMAIN}", tmp_path)
        stack.stores.fill(data_directory(tmp_path / "data"))
        put(stack, path, image, content_type)
        result = boot(client, Servers(relay.port, https=door.https_port, name=DOMAIN), MACHINE, scratch)
        assert SECRET == result.configuration, result.console
        assert_loaded(relay.exchanges(f"/{path}"), image, content_type or BINARY)
        assert ["/generic"] == logged(door.functions["BootApi"].log())


@pytest.mark.nightly
def test_firmware_boots_the_unified_kernel_image_of_a_release(
    new_place: Any, oci_registry: OciRegistry, tmp_path: Path, scratch: Path
) -> None:
    """Its configuration comes by http, which the stack's owner has allowed."""
    path = "assets/talos/arm64/vmlinuz.efi"
    client = asking_for(path, "edk2-http-arm64")
    image = image_for(client, guest.initramfs("arm64", talos=True), f"http://{DOMAIN}", tmp_path)
    layer = plain(Entry("usr/install/arm64/vmlinuz.efi", image))
    reference = oci_registry.push(manifests.image([layer]), "siderolabs/installer", "v1.12.0")
    stack = new_place(**BEHIND_CLOUDFRONT, PlainConfigurations="yes", SourceImage=reference)
    stack.stores.fill(data_directory(tmp_path / "data"))
    with stack.invoking("AssetSync") as sync:
        sync.invoke(SYNC)
    with stack.cloudfront(domain=DOMAIN) as door, relayed(door.port) as relay:
        result = boot(client, Servers(relay.port, name=DOMAIN), MACHINE, scratch)
        assert SECRET == result.configuration, result.console
        assert_loaded(relay.exchanges(f"/{path}"), image, BINARY)
        assert ["/generic"] == logged(door.functions["BootApi"].log())


@pytest.mark.nightly
def test_firmware_takes_no_other_file_for_a_program(new_place: Any, scratch: Path) -> None:
    """Not even one that it boots as `snponly.efi`."""
    path = "assets/linux"
    stack, client = new_place(**BEHIND_CLOUDFRONT), asking_for(path, "edk2-http")
    with stack.cloudfront() as door, relayed(door.port) as relay:
        stack.stores.create()
        put(stack, path, firmware.ipxe_snponly_x86_64().read_bytes())
        with powered_on(client, Servers(relay.port), MACHINE, scratch) as machine:
            machine.wait_for("Error: Could not retrieve NBP file size from HTTP server.")
        assert_served(relay.exchanges(f"/{path}"))


def asking_for(path: str, name: str) -> Client:
    """That client, whose DHCP server names this path to the firmware."""
    return replace(CLIENTS[name], network=partial(networks.booting_by_http, path=path))


def image_for(client: Client, initramfs: bytes, address: str, scratch: Path) -> bytes:
    """A unified kernel image whose configuration is at that address."""
    configuration = f"talos.config={address}/generic?uuid=${{uuid}}"
    arguments = [*guest.arguments(client.architecture, "none"), configuration]
    return unified_kernel(client.architecture, initramfs, arguments, scratch)


def data_directory(directory: Path) -> Path:
    """A group that has a configuration and no script."""
    write_group(directory, {}, {"id": GROUP, "generic_id": "secret"})
    place(SECRET, directory / "generic" / "secret")
    return directory


def put(stack: Any, path: str, body: bytes, content_type: str | None = None) -> None:
    """Put an own file into the bucket, as an import does or with that type."""
    if content_type is None:
        stack.stores.put_asset(path.removeprefix("assets/"), body)
        return
    with closing(stack.stores.buckets.client("s3")) as s3:
        s3.put_object(Bucket=stack.stores.name, Key=path, Body=body, ContentType=content_type)


def assert_loaded(exchanges: Iterable[Exchange], file: bytes, content_type: str) -> None:
    """As firmware does it: first the length, then the file."""
    expected = [(method, 200, str(len(file)), content_type) for method in ("HEAD", "GET")]
    assert expected == [
        (
            each.request.method,
            each.response.status,
            each.response.field("content-length"),
            each.response.field("content-type"),
        )
        for each in exchanges
    ]


def assert_served(exchanges: Iterable[Exchange]) -> None:
    """The file, or a part of it, and never an address of it."""
    statuses = {each.response.status for each in exchanges}
    assert statuses
    assert statuses <= {200, 206}


def logged(log: Iterable[str]) -> list[str]:
    """The paths of the requests that the function has had."""
    lines = [json.loads(line) for line in log if '"message":"request"' in line]
    return [line["path"] for line in lines]
