"""The examples as they are delivered, each asked for all that its machines ask for."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from lambda_matchbox.catalog.templates import TEMPLATE_KINDS
from matchboxctl.main import main
from matchboxctl.validate.contents import directory_contents
from matchboxctl.validate.findings import Severity
from matchboxctl.validate.policies import OPEN
from matchboxctl.validate.validation import validate
from tests.conformance.butane_vectors import contents_of
from tests.support.example_data import JOIN_TOKEN, NOT_COPIED, example_with_secrets, with_token
from tests.support.paths import EXAMPLES
from tests.support.serving import started

pytestmark = pytest.mark.system

MACHINE = {"uuid": "0b1c", "mac": "52:54:00:aa:bb:cc"}
STORAGE = {"uuid": "0b1d", "mac": "52:54:00:12:34:56"}


EVERY_MACHINES = ("groups/default.json", None, "its boot policy is that of every machine that no other group selects")
OPEN_TO_ALL = ("groups/default.json", None, OPEN)

LEFT = {
    "cloud-init": [
        EVERY_MACHINES,
        OPEN_TO_ALL,
        ("profiles/ubuntu.json", None, "kernel: /assets/ubuntu/amd64/vmlinuz does not exist"),
        ("profiles/ubuntu.json", None, "initrd: /assets/ubuntu/amd64/initrd does not exist"),
    ],
    "fedora-coreos": [
        EVERY_MACHINES,
        OPEN_TO_ALL,
        ("groups/default.json", None, "placeholders are left: REPLACE-ME"),
        ("groups/storage.json", None, "placeholders are left: REPLACE-ME"),
        ("profiles/fedora-coreos.json", None, "kernel: /assets/fedora-coreos/x86_64/vmlinuz does not exist"),
        ("profiles/fedora-coreos.json", None, "initrd: /assets/fedora-coreos/x86_64/initramfs.img does not exist"),
        (
            "profiles/fedora-coreos.json",
            None,
            "coreos.live.rootfs_url: /assets/fedora-coreos/x86_64/rootfs.img does not exist",
        ),
    ],
    "flatcar": [
        EVERY_MACHINES,
        OPEN_TO_ALL,
        ("groups/default.json", None, "placeholders are left: REPLACE-ME"),
        ("profiles/flatcar.json", None, "kernel: /assets/flatcar/x86_64/vmlinuz does not exist"),
        ("profiles/flatcar.json", None, "initrd: /assets/flatcar/x86_64/initramfs.cpio.gz does not exist"),
    ],
    "install-once": [
        ("profiles/talos-grub.json", None, "kernel (and 1 more): /assets/talos/amd64/vmlinuz does not exist"),
        ("profiles/talos-grub.json", None, "initrd (and 1 more): /assets/talos/amd64/initramfs.xz does not exist"),
    ],
    "talos": [
        OPEN_TO_ALL,
        ("profiles/cozystack-arm64.json", None, "kernel: /assets/talos/arm64/vmlinuz does not exist"),
        ("profiles/cozystack-arm64.json", None, "initrd: /assets/talos/arm64/initramfs.xz does not exist"),
        ("sources/talos-arm64.json", None, "it has no release yet"),
    ],
    "talos-cluster": [
        (
            "profiles/prod-controlplane.json",
            None,
            "kernel (and 1 more): /assets/talos/arm64/vmlinuz does not exist",
        ),
        (
            "profiles/prod-controlplane.json",
            None,
            "initrd (and 1 more): /assets/talos/arm64/initramfs.xz does not exist",
        ),
    ],
}


@pytest.mark.parametrize("name", LEFT)
def test_examples_leave_values_and_assets_to_the_operator(name: str, tmp_path: Path) -> None:
    """No finding but these, once there are secrets."""
    data = example_with_secrets(name, tmp_path / name)
    found = validate(directory_contents(data)).findings
    assert LEFT[name] == [(str(Path(one.file).relative_to(data)), one.line, one.message) for one in found]
    notes = [one.message for one in found if one.severity is Severity.NOTE]
    assert {EVERY_MACHINES[2], OPEN, "it has no release yet"} >= set(notes)


@pytest.mark.parametrize("name", LEFT)
def test_no_example_comes_with_a_secret(name: str) -> None:
    """Nor with the base64 of a key or a certificate, of which each cluster makes its own."""
    files = [path for path in (EXAMPLES / name).rglob("*") if path.is_file() and NOT_COPIED.isdisjoint(path.parts)]
    assert files
    found = [path for path in files if re.search(rb"PRIVATE KEY|BEGIN CERT|LS0tLS1CRUdJTi", path.read_bytes())]
    assert [] == found


def asked(name: str, labels: dict[str, str], directory: Path, *more: str) -> dict[str, bytes]:
    """The responses that a machine with these labels gets from an example, at all of its routes and at `more`."""
    query = urlencode(labels)
    data = example_with_secrets(name, directory / "data")
    (kind,) = (kind for kind in TEMPLATE_KINDS if (data / kind).is_dir())
    with started("--address", "127.0.0.1:0", "--data-path", str(data)) as serve:
        query = with_token(serve, query)
        routes = ("/boot.ipxe", "/ipxe", "/grub", "/metadata", f"/{kind}", *more)
        found = {route: serve.get(f"{route}{'&' if '?' in route else '?'}{query}") for route in routes}
        absent = [serve.get(f"/{other}?{query}").status for other in TEMPLATE_KINDS if other != kind]
        serve.end()
    assert dict.fromkeys(found, 200) == {target: reply.status for target, reply in found.items()}
    assert [404, 404] == absent
    return {target: reply.body for target, reply in found.items()}


def files_in(config: bytes) -> dict[str, bytes]:
    """The contents of the files of an Ignition configuration."""
    return {file["path"]: contents_of(**source(file)) for file in json.loads(config)["storage"]["files"]}


def test_fedora_coreos(tmp_path: Path) -> None:
    """A machine installs Fedora CoreOS with a configuration of its own, and the join token."""
    responses = asked("fedora-coreos", MACHINE, tmp_path)
    assert (
        b"coreos.inst.ignition_url=${base}ignition?uuid=${uuid}&mac=${mac:hexhyp}&token=${token}" in responses["/ipxe"]
    )
    config = json.loads(responses["/ignition"])
    assert "3.4.0" == config["ignition"]["version"]
    assert {
        "/etc/hostname": b"node-0b1c",
        "/etc/join-token": JOIN_TOKEN.encode(),
        "/etc/motd.d/10-matchbox.motd": b"Configured by Lambda matchbox for 52:54:00:aa:bb:cc.\n",
    } == files_in(responses["/ignition"])
    assert {"directories", "disks", "filesystems"}.isdisjoint(config["storage"])


def test_fedora_coreos_with_disks(tmp_path: Path) -> None:
    """The machine with data disks gets a mirror of them, mounted by a unit."""
    config = json.loads(asked("fedora-coreos", STORAGE, tmp_path)["/ignition"])
    storage = config["storage"]
    assert ["/dev/sda", "/dev/sdb"] == [disk["device"] for disk in storage["disks"]]
    assert ["/dev/disk/by-partlabel/data-0", "/dev/disk/by-partlabel/data-1"] == storage["raid"][0]["devices"]
    assert ["var-data.mount", "zincati.service"] == [unit["name"] for unit in config["systemd"]["units"]]
    assert b"storage" == contents_of(**source(storage["files"][0]))


def test_flatcar(tmp_path: Path) -> None:
    """A machine in memory installs Flatcar with a configuration that it requests, and that has the join token."""
    responses = asked("flatcar", MACHINE, tmp_path, "/ignition?os=installed")
    assert b"ignition.config.url=${base}ignition?uuid=${uuid}&mac=${mac:hexhyp}&token=${token}" in responses["/ipxe"]
    installing = files_in(responses["/ignition"])
    assert ["/opt/install"] == list(installing)
    assert JOIN_TOKEN.encode() not in installing["/opt/install"]
    config = responses["/ignition?os=installed"]
    assert (b"flatcar-0b1c", JOIN_TOKEN.encode()) == tuple(list(files_in(config).values())[:2])
    assert ["docker.service", "hello.service"] == [unit["name"] for unit in json.loads(config)["systemd"]["units"]]


def test_install_once(tmp_path: Path) -> None:
    """A machine waits; approved, it gets a script that leads it to its configuration, once, by iPXE and by GRUB."""
    data = example_with_secrets("install-once", tmp_path / "data")
    for group in (data / "groups").iterdir():
        group.write_text(group.read_text().replace("10.20.13.0/24", "127.0.0.0/8"))
    base = "https://boot.example:8443"
    with started("--address", "127.0.0.1:0", "--data-path", str(data), "--base-url", base) as serve:
        for mac, route, more in (("52-54-00-00-00-01", "ipxe", ""), ("52-54-00-00-00-02", "grub", "&loader=grub")):
            machine = f"mac={mac}&arch=x86_64{more}"
            shown = re.search(r"matchboxctl (machine approve [^\"\n]+)", serve.get(f"/{route}?{machine}").body.decode())
            assert shown is not None
            assert 0 == main([*shown[1].split(), "--data-path", str(data)])
            script = serve.get(f"/{route}?{machine}").body.decode()
            token = re.search(r"set token=?[ \"]([\w-]+)", script)
            assert token is not None
            assert re.search(rf"^set base=?[ \"]{base}/\"?$", script, re.MULTILINE)
            configuration = serve.get(f"/ignition?{machine}&token={token[1]}")
            assert (200, True) == (configuration.status, b"clusterName: demo" in configuration.body.replace(b'"', b""))
            assert "is installed and boots from its disk" in serve.get(f"/{route}?{machine}").body.decode()
        serve.end()


def source(file: dict[str, Any]) -> dict[str, str]:
    """URL and compression of a file's contents."""
    return {"url": file["contents"]["source"], "compression": file["contents"]["compression"]}
