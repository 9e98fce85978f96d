"""Boots of nodes of `examples/talos-cluster`."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.boot.clients import CLIENTS, boot, powered_on
from tests.boot.example import assert_accepted, write_images
from tests.boot.fleet import identity
from tests.boot.networks import Servers
from tests.support.example_data import example_with_secrets
from tests.support.paths import EXAMPLES
from tests.support.serving import serving

pytestmark = [pytest.mark.boot, pytest.mark.nightly]

with (EXAMPLES / "talos-cluster" / "nodes.csv").open() as file:
    NODES = {row["hostname"]: row for row in csv.DictReader(file)}


@pytest.mark.parametrize("name", ["cp-1", "worker-3"])
def test_node_gets_its_own_configuration_once(name: str, tmp_path: Path) -> None:
    """Then it boots from its disk."""
    node = NODES[name]
    machine = replace(identity(24), mac=node["mac"])
    data = example_with_secrets("talos-cluster", tmp_path / "data")
    write_images(data)
    for scratch in ("first", "second"):
        (tmp_path / scratch).mkdir()
    with serving(data) as port:
        result = boot(CLIENTS["arm64"], Servers(port), machine, tmp_path / "first")
        with powered_on(CLIENTS["arm64"], Servers(port), machine, tmp_path / "second") as again:
            again.wait_for(f"{machine.mac.replace(':', '-')} is installed and boots from its disk.")
    assert_accepted(result.configuration)
    main, *others = yaml.safe_load_all(result.configuration)
    found = {document["kind"]: document for document in others}
    assert (node["role"], node["disk"]) == (main["machine"]["type"], main["machine"]["install"]["disk"])
    assert name == found["HostnameConfig"]["hostname"]
    assert [{"address": node["address"]}] == found["LinkConfig"]["addresses"]
