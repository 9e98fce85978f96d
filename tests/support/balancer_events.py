"""The events of the balancer in `events/`, the data behind their responses, and how each response begins."""

import json
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, NamedTuple

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from tests.rigs.stores import Stores
from tests.support import terraform
from tests.support.paths import PROJECT
from tests.support.terraform_example import example

ROOT = PROJECT
EVENTS = {path.stem: path for path in (ROOT / "events").glob("*.json") if not path.stem.startswith("asset-sync-")}
SEED = ROOT / "tests" / "conformance" / "seed" / "data"
LARGE = bytes(2_000_000)
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"


class Expected(NamedTuple):
    """The status, the Content-Type (None where there is none) and what the body begins with."""

    status: int
    content_type: str | None
    start: bytes


_NOT_FOUND = Expected(404, TEXT, b"404 page not found\n")
_SEED_SCRIPT = Expected(200, TEXT, b"#!ipxe\nkernel /assets/talos/arm64/vmlinuz init_on_alloc=1 ")
_EDGE_SCRIPT = Expected(200, TEXT, b"#!ipxe\nkernel /assets/large/vmlinuz console=ttyS0\nboot\n")
_ELSEWHERE = Expected(302, None, b"")

EXPECTED = {
    "asset": Expected(200, TEXT, b"87ab91a7946413117ce9eb253a57e96a86e7c99542cf728365ca882f54b513fe  vmlinuz\n"),
    "asset-encoded-path": Expected(200, TEXT, b"strange\n"),
    "asset-head": Expected(200, TEXT, b"87ab91a7"),
    "asset-large-grub": Expected(500, TEXT, b"'GRUB' follows no signed redirect, and 'large/vmlinuz' is too large"),
    "asset-large-ipxe": _ELSEWHERE,
    "asset-listing": Expected(200, HTML, b"<!doctype html>\n"),
    "asset-range": Expected(206, TEXT, b"87ab91a7946413117ce9eb253a57e96a86e7c99542cf728365ca882f54b513fe"),
    "boot-ipxe": Expected(200, TEXT, b"#!ipxe\nchain ipxe?uuid=${uuid}&mac=${mac:hexhyp}&"),
    "cloud": Expected(200, TEXT, b"#cloud-config\nhostname: edge\n"),
    "favicon": _NOT_FOUND,
    "generic": Expected(200, TEXT, b"version: v1alpha1\ndebug: false\n"),
    "grub": Expected(200, TEXT, b'default=0\nfallback=1\ntimeout=1\nmenuentry "CoreOS (EFI)" {\n'),
    "health-check": Expected(200, TEXT, b"matchbox\n"),
    "hostile-header": _ELSEWHERE,
    "ignition": Expected(200, "application/json", b'{"ignition":{'),
    "ignition-talos": Expected(200, "application/x-yaml", b"machine:\n  network:\n    hostname: 1f0e6c5a-9b8d-"),
    "ipxe-by-arch": _SEED_SCRIPT,
    "ipxe-by-mac": _EDGE_SCRIPT,
    "ipxe-by-uuid": Expected(200, TEXT, b"#!ipxe\nkernel http://other.example/vmlinuz\nboot\n"),
    "ipxe-no-group": _NOT_FOUND,
    "ipxe-repeated-keys": _SEED_SCRIPT,
    "metadata": Expected(200, "plain/text", b"MAC=52:54:00:00:00:07\nOS=installed\nREQUEST_QUERY_MAC="),
    "path-outside": Expected(301, HTML, b'<a href="/etc/passwd">Moved Permanently</a>.\n'),
    "profile": Expected(200, "application/json", b'{"id": "cozystack-arm64", '),
    "worker-generic": Expected(200, TEXT, b"HOSTNAME=worker-1\n"),
    "worker-ignition": Expected(200, "application/json", b'{"ignition":{'),
    "worker-ipxe": Expected(200, TEXT, b"#!ipxe\nkernel /assets/flatcar/flatcar_production_pxe.vmlinuz "),
}


def event(name: str) -> dict[str, Any]:
    """What the file of that name holds."""
    found: dict[str, Any] = json.loads(EVENTS[name].read_text())
    return found


def fill(stores: Stores) -> None:
    """Make the stores, with the seed document's data, Terraform's example, and machines for what those do not have."""
    stores.fill(SEED)
    stores.put_asset("large/vmlinuz", LARGE)
    stores.put_asset("a file+ü%41.txt", b"strange\n")
    writer = stores.writer()
    edge = NetBoot("/assets/large/vmlinuz", args=("console=ttyS0",))
    writer.put_profile(Profile("edge", ignition_id="edge.ign", cloud_id="edge.yaml", boot=edge))
    writer.put_profile(Profile("talos", ignition_id="talos.yaml"))
    writer.put_profile(Profile("one", boot=NetBoot("http://other.example/vmlinuz")))
    writer.put_template("ignition", "edge.ign", b'{"ignition": {"version": "3.4.0"}}')
    writer.put_template("ignition", "talos.yaml", b"machine:\n  network:\n    hostname: {{.request.query.uuid}}\n")
    writer.put_template("cloud", "edge.yaml", b"#cloud-config\nhostname: {{.name}}\n")
    mac, name = {"mac": "52:54:00:00:00:07"}, {"name": "edge"}
    writer.put_group(Group("edge", profile="edge", selector=mac, metadata=name))
    writer.put_group(Group("edge-installed", profile="edge", selector=mac | {"os": "installed"}))
    writer.put_group(Group("one", profile="one", selector={"uuid": "1f0e6c5a-9b8d-4c3e-a2f1-0b9c8d7e6f5a"}))
    writer.put_group(Group("talos", profile="talos", selector={"mac": "52:54:00:00:00:08", "arch": "x86_64"}))
    for one in example():
        if isinstance(one, terraform.Group):
            writer.put_group(Group(one.name, profile=one.profile, selector=one.selector, metadata=one.metadata))
            continue
        boot = NetBoot(one.kernel, initrd=one.initrd, args=one.args)
        writer.put_profile(Profile(one.name, ignition_id=one.ignition_id, generic_id=one.generic_id, boot=boot))
        for (service, template), text in one.templates.items():
            writer.put_template(service.lower(), template, text)


def assert_response(name: str, response: Mapping[str, Any]) -> None:
    """Hold a response to that event to its status, type and first bytes, and to the form that the balancer takes."""
    body = b64decode(response["body"]) if response["isBase64Encoded"] else response["body"].encode()
    headers = {key: values[0] for key, values in response["multiValueHeaders"].items()}
    start = body[: len(EXPECTED[name].start)] if EXPECTED[name].start else body
    assert EXPECTED[name] == (response["statusCode"], headers.get("content-type"), start)
    assert response["statusDescription"].startswith(f"{response['statusCode']} ")
    assert str(len(body)) == headers["content-length"]
    assert [] == [value for value in headers.values() if "\r" in value or "\n" in value]
