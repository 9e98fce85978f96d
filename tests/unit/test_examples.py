"""The examples as they are delivered, each asked for all that its machines ask for."""

import json
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from matchboxctl.main import main
from matchboxctl.validate.contents import directory_contents
from matchboxctl.validate.findings import Severity
from matchboxctl.validate.validation import validate
from tests.conformance.butane_vectors import contents_of
from tests.support.paths import EXAMPLES
from tests.support.serving import started

pytestmark = pytest.mark.system

MACHINE = {"uuid": "0b1c", "mac": "52:54:00:aa:bb:cc"}
STORAGE = {"uuid": "0b1d", "mac": "52:54:00:12:34:56"}


LEFT = {
    "fedora-coreos": [
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
        ("groups/default.json", None, "placeholders are left: REPLACE-ME"),
        ("profiles/flatcar.json", None, "kernel: /assets/flatcar/x86_64/vmlinuz does not exist"),
        ("profiles/flatcar.json", None, "initrd: /assets/flatcar/x86_64/initramfs.cpio.gz does not exist"),
    ],
    "install-once": [
        ("ignition/talos.yaml", 4, "placeholders are left: <cluster-join-token>, <cluster-ca-certificate>"),
        ("profiles/talos-grub.json", None, "kernel (and 1 more): /assets/talos/amd64/vmlinuz does not exist"),
        ("profiles/talos-grub.json", None, "initrd (and 1 more): /assets/talos/amd64/initramfs.xz does not exist"),
    ],
    "talos": [
        (
            "ignition/cozystack-config.yaml",
            6,
            (
                "placeholders are left: <cluster-join-token>, <cluster-ca-certificate>, <cluster-id>, <cluster-secret>,"
                " <bootstrap-token> and 2 more"
            ),
        ),
        ("profiles/cozystack-arm64.json", None, "kernel: /assets/talos/arm64/vmlinuz does not exist"),
        ("profiles/cozystack-arm64.json", None, "initrd: /assets/talos/arm64/initramfs.xz does not exist"),
        ("sources/talos-arm64.json", None, "it has no release yet"),
    ],
}


@pytest.mark.parametrize("name", LEFT)
def test_examples_leave_values_and_assets_to_the_operator(name: str, tmp_path: Path) -> None:
    """No finding but these; assets and releases of a checkout do not count."""
    data = shutil.copytree(EXAMPLES / name, tmp_path / name, ignore=shutil.ignore_patterns("assets", "releases"))
    found = validate(directory_contents(data)).findings
    assert LEFT[name] == [(str(Path(one.file).relative_to(data)), one.line, one.message) for one in found]
    notes = [one for one in found if one.severity is Severity.NOTE]
    assert ["release"] * (name == "talos") == [one.rule for one in notes]


def asked(name: str, labels: dict[str, str]) -> dict[str, bytes]:
    """The answers that a machine with these labels gets from an example: all of its routes, which have to answer."""
    query = urlencode(labels)
    with started("--address", "127.0.0.1:0", "--data-path", str(EXAMPLES / name)) as serve:
        found = {
            target: serve.get(f"{target}?{query}")
            for target in ("/boot.ipxe", "/ipxe", "/grub", "/metadata", "/ignition", f"/profiles/{name}")
        }
        absent = [serve.get(f"{target}?{query}").status for target in ("/cloud", "/generic")]
        serve.end()
    assert dict.fromkeys(found, 200) == {target: reply.status for target, reply in found.items()}
    assert [404, 404] == absent
    return {target: reply.body for target, reply in found.items()}


def test_fedora_coreos() -> None:
    """A machine installs Fedora CoreOS with a configuration of its own."""
    answers = asked("fedora-coreos", MACHINE)
    assert b"coreos.inst.ignition_url=${cwduri}ignition?uuid=${uuid}&mac=${mac:hexhyp}" in answers["/ipxe"]
    config = json.loads(answers["/ignition"])
    assert "3.4.0" == config["ignition"]["version"]
    files = {file["path"]: contents_of(**source(file)) for file in config["storage"]["files"]}
    assert b"node-0b1c" == files["/etc/hostname"]
    assert b"Configured by Lambda matchbox for 52:54:00:aa:bb:cc.\n" == files["/etc/motd.d/10-matchbox.motd"]
    assert {"directories", "disks", "filesystems"}.isdisjoint(config["storage"])


def test_fedora_coreos_with_disks() -> None:
    """The machine with data disks gets a mirror of them, mounted by a unit."""
    config = json.loads(asked("fedora-coreos", STORAGE)["/ignition"])
    storage = config["storage"]
    assert ["/dev/sda", "/dev/sdb"] == [disk["device"] for disk in storage["disks"]]
    assert ["/dev/disk/by-partlabel/data-0", "/dev/disk/by-partlabel/data-1"] == storage["raid"][0]["devices"]
    assert ["var-data.mount", "zincati.service"] == [unit["name"] for unit in config["systemd"]["units"]]
    assert b"storage" == contents_of(**source(storage["files"][0]))


def test_flatcar() -> None:
    """A machine runs Flatcar with a configuration of its own."""
    answers = asked("flatcar", MACHINE)
    assert b"ignition.config.url=${cwduri}ignition?uuid=${uuid}&mac=${mac:hexhyp}" in answers["/ipxe"]
    config = json.loads(answers["/ignition"])
    assert b"flatcar-0b1c" == contents_of(**source(config["storage"]["files"][0]))
    assert ["docker.service", "hello.service"] == [unit["name"] for unit in config["systemd"]["units"]]


def test_install_once(tmp_path: Path) -> None:
    """A machine waits; approved, it gets a script that leads it to its configuration, once, by iPXE and by GRUB."""
    data = shutil.copytree(EXAMPLES / "install-once", tmp_path / "data")
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
