"""Flux's own code, from its Go modules: its packer of artefacts, its substitution, and the schemas of its objects."""

import hashlib
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from tests.rigs.cache import cached
from tests.rigs.go_toolchain import go_build_source, go_source
from tests.rigs.install import run

CONTROLLERS = "github.com/fluxcd/source-controller@v1.9.6", "github.com/fluxcd/kustomize-controller@v1.9.6"
OCI = "github.com/fluxcd/pkg/oci@v0.70.0"
KUSTOMIZE = "github.com/fluxcd/pkg/kustomize@v1.41.0"


def push_artifact(address: str, directory: Path, version: str) -> str:
    """Pack a directory and push it to HOST/REPOSITORY:TAG, as `flux push artifact` does; its address by its digest.

    Raises RigUnavailableError.
    """
    program = _program("flux_push", OCI)
    return run([program, address, directory, version]).strip()


def substituted(kustomization: object, config_maps: Sequence[object], resource: object) -> Any:
    """A resource as Flux applies it for a Kustomization, in a cluster with these ConfigMaps.

    Raises RigUnavailableError.
    """
    given = {"kustomization": kustomization, "configMaps": config_maps, "resource": resource}
    program = _program("flux_substitution", KUSTOMIZE)
    ended = subprocess.run([program], input=json.dumps(given), capture_output=True, text=True, check=True)
    return json.loads(ended.stdout)


def flux_findings(resource: Mapping[str, Any]) -> list[str]:
    """What Flux's schema has against an object, unknown fields included; other objects are unknown to it.

    Raises RigUnavailableError.
    """
    schema = _schemas().get((resource["apiVersion"], resource["kind"]))
    if schema is None:
        return [f"{resource['apiVersion']} has no {resource['kind']}"]
    return [error.message for error in Draft202012Validator(schema).iter_errors(resource)]


def definitions() -> list[Path]:
    """The files of Flux's custom resource definitions. Raises RigUnavailableError."""
    return [file for each in CONTROLLERS for file in go_source(each).glob("config/crd/bases/*.yaml")]


@cache
def _schemas() -> Mapping[tuple[str, str], Any]:
    return dict(served for file in definitions() for served in _served(yaml.safe_load(file.read_text())["spec"]))


def _served(definition: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Any]]:
    for version in definition["versions"]:
        schema = _closed(version["schema"]["openAPIV3Schema"])
        # The API server's own.
        schema["properties"]["metadata"] = {"type": "object"}
        yield (f"{definition['group']}/{version['name']}", definition["names"]["kind"]), schema


def _closed(schema: Any) -> Any:
    """The schema without the fields that it does not name, which the API server takes away."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        made.setdefault("additionalProperties", schema.get("x-kubernetes-preserve-unknown-fields", False))
    return made


def _program(name: str, module: str) -> Path:
    source = Path(__file__).with_name(f"{name}.go").read_text()
    key = f"{name}-{module.rpartition('@')[2]}-{hashlib.sha256(source.encode()).hexdigest()[:8]}"
    return cached(key, lambda into: go_build_source(name, source, module, into)) / name
