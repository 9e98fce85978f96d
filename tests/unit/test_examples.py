"""The examples as they are delivered, each asked for all that its machines ask for."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from lambda_matchbox.answers.template_check import failures
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.templates import Template
from matchboxctl.directory.files import read_directory
from tests.conformance.butane_vectors import contents_of
from tests.support.paths import EXAMPLES
from tests.support.serving import started

pytestmark = pytest.mark.system

MACHINE = {"uuid": "0b1c", "mac": "52:54:00:aa:bb:cc"}
STORAGE = {"uuid": "0b1d", "mac": "52:54:00:12:34:56"}
NAMES = ["fedora-coreos", "flatcar", "talos"]


@pytest.mark.parametrize("name", NAMES)
def test_each_document_is_lawful(name: str) -> None:
    """Each file is taken by an import, and no template fails for a machine."""
    told: list[str] = []
    documents = read_directory(EXAMPLES / name, told.append).documents
    profiles = [document for document in documents if isinstance(document, Profile)]
    templates = [document for document in documents if isinstance(document, Template)]
    groups = [document for document in documents if isinstance(document, Group)]
    assert ([], []) == (told, failures(groups, profiles, templates))
    assert groups
    assert profiles
    assert templates


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


def source(file: dict[str, Any]) -> dict[str, str]:
    """URL and compression of a file's contents."""
    return {"url": file["contents"]["source"], "compression": file["contents"]["compression"]}
