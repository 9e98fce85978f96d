import json
from pathlib import Path

import pytest

from matchbox.butane import ButaneError, translate
from tests.conformance.butane_vectors import Vector, vectors, without_forms, write_files

VECTORS = {vector["name"]: vector for vector in vectors()}
# OpenShift's output is a MachineConfig in YAML for a cluster, no config that a machine could be given.
REFUSED_BY_NAME = frozenset({"openshift-4.14", "openshift-errors"})
PREFIX = "Error translating config: "


def outcome(vector: Vector) -> tuple[object, str, int]:
    """What Butane would have printed: the config, the report, the exit status."""
    try:
        ignition, report = translate(vector["butane"], write_files(vector), strict=vector.get("strict", False))
    except ButaneError as error:
        prefix = "" if "--strict" in error.reason else PREFIX
        return None, "".join(f"{entry}\n" for entry in error.report) + f"{prefix}{error.reason}\n", 1
    return ignition, "".join(f"{entry}\n" for entry in report), 0


@pytest.mark.parametrize("name", sorted(VECTORS.keys() - REFUSED_BY_NAME))
def test_as_recorded(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The config is Butane's, in Butane's order, and so is the report to the letter; data URLs hold the same bytes."""
    monkeypatch.chdir(tmp_path)
    vector = VECTORS[name]
    config, report, status = outcome(vector)
    assert vector["stderr_raw"] == report
    assert vector["exit"] == status
    if status == 0:
        assert without_forms(json.loads(vector["stdout"])) == without_forms(config)
        assert _order(json.loads(vector["stdout"])) == _order(config)


@pytest.mark.parametrize("name", sorted(REFUSED_BY_NAME))
def test_openshift(name: str) -> None:
    """OpenShift's variant is refused by its name."""
    with pytest.raises(ButaneError, match="^openshift configs become a MachineConfig"):
        translate(VECTORS[name]["butane"])


def test_all_are_there() -> None:
    """All vectors are held against, but for those of OpenShift."""
    assert 183 == len(VECTORS)
    assert VECTORS.keys() >= REFUSED_BY_NAME


def _order(value: object) -> object:
    """The keys of all mappings in their order."""
    if isinstance(value, list):
        return [_order(one) for one in value]
    return [(name, _order(one)) for name, one in value.items()] if isinstance(value, dict) else None
