"""The note's objects for Flux, with Flux's own schemas and code."""

from typing import Any

import pytest
import yaml

from tests.rigs.flux import flux_findings, substituted
from tests.seed.bastion import DOCUMENT

# Building Flux's modules takes a minute.
pytestmark = [pytest.mark.real, pytest.mark.system, pytest.mark.nightly]


@pytest.fixture
def printed() -> list[Any]:
    return list(yaml.safe_load_all((DOCUMENT / "talos-custom-images.yaml").read_text()))


def test_flux_knows_neither_the_printed_source_nor_a_kustomization_of_it(printed: list[Any]) -> None:
    source, kustomization = printed
    assert ["source.toolkit.fluxcd.io/v1beta2 has no ExternalSource"] == flux_findings(source)
    assert ["kustomize.toolkit.fluxcd.io/v1beta2 has no Kustomization"] == flux_findings(kustomization)
    [kind] = flux_findings(kustomization | {"apiVersion": "kustomize.toolkit.fluxcd.io/v1"})
    assert kind.startswith("'ExternalSource' is not one of ")


def test_printed_variables_are_replaced_by_themselves(printed: list[Any]) -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "talos", "namespace": "cozy-system"}}
    data = {"version": "${TALOS_VERSION}"}
    assert data == substituted(printed[1], [], manifest | {"data": data})["data"]
