"""The packages that `make build` copies for each function."""

import subprocess
from pathlib import Path

import grimp
import pytest

from tools.template_translation import PROJECT

FUNCTIONS = {"BootApi": "boot_api", "SignedApi": "signed_api", "AssetSync": "asset_sync", "BootHistory": "boot_history"}

DIVIDED = {"lambda_matchbox.aws", "lambda_matchbox.oci"}
"""Packages of which a function may get a part."""


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("lambda_matchbox", *FUNCTIONS.values())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_has_the_packages_that_it_imports(name: str, graph: grimp.ImportGraph, tmp_path: Path) -> None:
    target = [f"build-{name}", f"ARTIFACTS_DIR={tmp_path}", "COMPILE=true"]
    subprocess.run(["make", "-s", "-C", PROJECT / "functions", *target], check=True)
    copied = {".".join(file.relative_to(tmp_path).with_suffix("").parts) for file in tmp_path.rglob("*.py")}
    imported = graph.find_upstream_modules(FUNCTIONS[name], as_package=True)
    packages = {module.removesuffix(".__init__") for module in copied if module.endswith(".__init__")}
    assert set() == {module for module in imported - packages if module not in copied}
    own = {package for package in packages if package.rpartition(".")[0] in {"lambda_matchbox", *DIVIDED}}
    assert set() == {package for package in own if not any(f"{each}.".startswith(f"{package}.") for each in imported)}
