"""The examples for Talos, with Talos's own code."""

import csv
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from matchboxctl.main import main
from matchboxctl.validate.contents import directory_contents
from matchboxctl.validate.validation import validate
from tests.rigs.talos_machinery import VERSION, gen_config, gen_secrets, refusal, talosctl
from tests.support.example_data import example_with_secrets, with_token
from tests.support.paths import EXAMPLES, PROJECT
from tests.support.serving import Serve, started

pytestmark = pytest.mark.real

CLUSTER = EXAMPLES / "talos-cluster"
NODES = CLUSTER / "nodes.csv"
DOCUMENTS = ("groups", "ignition", "profiles")
UUID = "uuid=6b9f1f2e-03c5-4d1a-9a57-000000000001"


def macs() -> list[str]:
    with NODES.open() as file:
        return [row["mac"] for row in csv.DictReader(file)]


MACHINES = {
    "talos": [f"arch=arm64&mac=52:54:00:00:00:01&{UUID}"],
    "talos-cluster": [f"mac={mac}" for mac in macs()],
}


@pytest.fixture(params=MACHINES)
def serve(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Serve, list[str]]]:
    """A server of an example, and the queries of its machines."""
    data = example_with_secrets(request.param, tmp_path / "data")
    with started("--address", "127.0.0.1:0", "--data-path", str(data)) as serve:
        yield serve, MACHINES[request.param]
        serve.end()


def test_talos_takes_the_configuration_of_every_machine(serve: tuple[Serve, list[str]], tmp_path: Path) -> None:
    server, queries = serve
    for query in queries:
        response = server.get(f"/ignition?{with_token(server, query)}")
        assert 200 == response.status
        config = tmp_path / "config.yaml"
        config.write_bytes(response.body)
        assert "" == refusal(config)


@pytest.mark.parametrize("example", MACHINES)
def test_talosctl_takes_what_validate_renders_without_values(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Placeholders stand where keys and certificates do."""
    monkeypatch.setenv("PATH", f"{talosctl().parent}{os.pathsep}{os.environ['PATH']}")
    found = validate(directory_contents(example_with_secrets(example, tmp_path / "data"))).findings
    assert "talosctl" not in {finding.rule for finding in found}


def test_cluster_is_what_an_import_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the configurations that Talos makes, whatever its secrets are; and the guide shows what it prints."""
    data = tmp_path / "data"
    data.mkdir()
    gen_secrets(tmp_path / "secrets.yaml", VERSION)
    gen_config(
        tmp_path / "secrets.yaml",
        tmp_path,
        VERSION,
        "--kubernetes-version=1.35.0",
        "--with-docs=false",
        cluster="prod",
        endpoint="https://10.20.13.100:6443",
    )
    files = [str(tmp_path / f"{role}.yaml") for role in ("controlplane", "worker")]
    given = ["--nodes", str(NODES), "--cluster", "prod", "--assets", "talos/arm64", "--data-path", str(data)]
    assert 0 == main(["talos", "import", *files, *given])
    assert contents(CLUSTER) == contents(data)
    guide = (PROJECT / "docs" / "talos.md").read_text()
    assert f"```csv\n{NODES.read_text()}```" in guide
    assert f"\n{capsys.readouterr().out}```" in guide


def contents(directory: Path) -> dict[str, str]:
    files = [path for kind in DOCUMENTS for path in (directory / kind).iterdir()]
    return {str(path.relative_to(directory)): path.read_text() for path in files}
