"""The artefacts of `make build`, for this machine's processor and, under QEMU, for ARM64.

Nothing but the function, its layer and the runtime's packages is there to be imported. boto3 is Python throughout: the
one for this machine's processor will do.
"""

import json
import platform
import subprocess
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from lambda_matchbox.aws.releases.source_table import SourceTable
from lambda_matchbox.aws.table_and_bucket import create_history_table
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from tests.rigs.lambda_runtime import runtime_packages
from tests.rigs.python313 import python313
from tests.rigs.python313_arm64 import python313_arm64
from tests.rigs.service import Service
from tests.rigs.stores import Stores, new_stores
from tests.support.images.layers import Entry, zstandard_compressed
from tests.support.images.manifests import image
from tests.support.images.signatures import REFERRER, attach, statement
from tests.support.images.sigstore_instance import SigstoreInstance
from tests.support.log_subscription import packed
from tests.support.openpgp.independent import TEXT, kind_of
from tests.support.openpgp.keys import PASSPHRASE, key_ring
from tests.support.registry_serving import faulty_registry
from tools.template_translation import PROJECT

pytestmark = [pytest.mark.real, pytest.mark.slow]

HANDLERS = {
    "BootApi": "boot_api.handler",
    "SignedApi": "signed_api.handler",
    "AssetSync": "asset_sync.handler",
    "BootHistory": "boot_history.handler",
}
AARCH64 = 183
"""The processor in an ELF file's head (`e_machine`, EM_AARCH64)."""


class Run(NamedTuple):
    """What a function answered to some events, and the distributions of its layer of which it loaded nothing."""

    responses: list[Any]
    unused: set[str]


METRICS = {"POWERTOOLS_METRICS_NAMESPACE": "matchbox/test"}
"""So that the second event of requests, and the end of a sync, load Powertools."""


class Target(NamedTuple):
    """What was built for a processor (as `uname -m` names it), and the interpreter that runs it."""

    built: Path
    python: Path
    machine: str

    def run(self, name: str, events: list[Any], environment: Mapping[str, str]) -> Run:
        layer = self.built / f"{name}Layer" / "python"
        program = PROJECT / "tests" / "stack" / "artefact_run.py"
        done = subprocess.run(
            [self.python, "-I", "-S", "-B", program, self.built / name, layer, runtime_packages(), HANDLERS[name]],
            input=json.dumps(events),
            env=dict(environment),
            capture_output=True,
            text=True,
            check=False,
        )
        assert 0 == done.returncode, done.stderr[-3000:]
        said = json.loads(done.stdout.splitlines()[-1])
        assert self.machine == said["machine"]
        return Run(said["answers"], _unused(layer, set(said["loaded"])))


@pytest.fixture
def here(built: Path) -> Target:
    return Target(built, python313(), platform.machine())


@pytest.fixture
def arm64(built_for_arm64: Path) -> Target:
    return Target(built_for_arm64, python313_arm64(), "aarch64")


@pytest.fixture
def target(request: pytest.FixtureRequest) -> Target:
    found: Target = request.getfixturevalue(request.param)
    return found


# Under emulation they take ten times as long.
ON_BOTH = pytest.mark.parametrize("target", ["here", pytest.param("arm64", marks=pytest.mark.nightly)], indirect=True)


@pytest.fixture(scope="module")
def stores(moto_server: Service) -> Stores:
    made = new_stores(moto_server, moto_server)
    made.create()
    writer = made.writer()
    writer.put_profile(Profile("p", generic_id="text"))
    writer.put_profile(Profile("talos", ignition_id="machine.yaml"))
    writer.put_group(Group("g", profile="p"))
    writer.put_group(Group("t", profile="talos", selector={"os": "talos"}))
    text = b'{{ .request.query.os }}-{{ printf "%05d" 42 }} {{ regexReplaceAll "(n+)y" .request.query.os "${1}e" }}\n'
    writer.put_template("generic", "text", text)
    writer.put_template("ignition", "machine.yaml", b"machine:\n  type: worker\n")
    return made


def _unused(layer: Path, loaded: set[str]) -> set[str]:
    records = {each.parent.name: each.read_text() for each in layer.glob("*.dist-info/RECORD")}
    files = {name: {line.partition(",")[0] for line in record.splitlines()} for name, record in records.items()}
    return {name for name, its in files.items() if not its & loaded}


def test_every_library_is_for_arm64(built_for_arm64: Path) -> None:
    """Each layer has compiled libraries, and all are ELF files for AArch64. boot_history has no layer."""
    libraries = [
        path for path in built_for_arm64.rglob("*") if path.is_file() and path.read_bytes().startswith(b"\x7fELF")
    ]
    assert {AARCH64} == {int.from_bytes(path.read_bytes()[18:20], "little") for path in libraries}
    assert {f"{name}Layer" for name in HANDLERS if name != "BootHistory"} == {
        path.relative_to(built_for_arm64).parts[0] for path in libraries
    }


def test_every_module_is_compiled(built_for_arm64: Path) -> None:
    modules = list(built_for_arm64.rglob("*.py"))
    compiled = {(path.parent.parent, path.name) for path in built_for_arm64.rglob("__pycache__/*.cpython-313.pyc")}
    assert modules
    assert [] == [each for each in modules if (each.parent, f"{each.stem}.cpython-313.pyc") not in compiled]


@pytest.mark.parametrize("target", ["here", "arm64"], indirect=True)
def test_boot_api_serves_scripts_and_templates(target: Target, stores: Stores) -> None:
    """Its layer has no package that is not loaded."""
    script = json.loads((PROJECT / "events" / "boot-ipxe.json").read_text())
    events = [
        {**script, "path": path, "multiValueQueryStringParameters": {"os": [label]}}
        for path, label in (("/boot.ipxe", "any"), ("/generic", "any"), ("/ignition", "talos"))
    ]
    run = target.run("BootApi", events, stores.environment() | METRICS)
    first, *rendered = [response["body"] for response in run.responses]
    assert first.startswith("#!ipxe\nchain ipxe?uuid=${uuid}")
    assert ["any-00042 ane\n", "machine:\n  type: worker\n"] == rendered
    assert set() == run.unused


@ON_BOTH
def test_signed_api_signs_with_a_protected_key(target: Target, stores: Stores) -> None:
    """Its layer has no package that is not loaded."""
    secret = {"key": key_ring("ed25519-miscounted").decode(), "passphrase": PASSPHRASE}
    with closing(stores.tables.client("secretsmanager")) as client:
        arn = client.create_secret(Name=f"signing-{uuid4()}", SecretString=json.dumps(secret))["ARN"]
    given = {"MATCHBOX_SIGNING_KEY_SECRET": arn, "AWS_ENDPOINT_URL_SECRETS_MANAGER": stores.tables.endpoint}
    script = json.loads((PROJECT / "events" / "boot-ipxe.json").read_text())
    events = [
        {**script, "path": path, "multiValueQueryStringParameters": {"os": [label]}}
        for path, label in (("/boot.ipxe.asc", "any"), ("/generic.asc", "any"), ("/ignition.asc", "talos"))
    ]
    run = target.run("SignedApi", events, stores.environment() | METRICS | given)
    assert [TEXT] * 3 == [kind_of(response["body"].encode()) for response in run.responses]
    assert set() == run.unused


@ON_BOTH
def test_asset_sync_unpacks_a_zstd_layer_of_a_signed_image(target: Target, stores: Stores) -> None:
    """Its layer has no package that is not loaded."""
    files = [Entry(f"output/talos/arm64/{name}", b"made of bytes") for name in ("vmlinuz", "initramfs.xz")]
    instance, signer = SigstoreInstance(), {"identity": "release@example.com", "issuer": "https://login.example.com"}
    with faulty_registry() as registry:
        registry.scheme = "bearer"
        signed = image([zstandard_compressed(*files)])
        registry.add("talos", "stable", signed)
        attach(registry, "talos", signed, [instance.signed(statement(signed.digest), *signer.values())], REFERRER)
        source = f"talos-{uuid4()}"
        document = {"id": source, "image": f"{registry.host}/talos:stable", "assets": source}
        document |= {"verify": {**signer, "trusted_root": instance.trusted_root}}
        SourceTable(stores.light_clients()).put(source, json.dumps(document))
        run = target.run("AssetSync", [{"source": source}], stores.environment() | METRICS)
    assert [[source]] == [response["changed"] for response in run.responses]
    assert set() == run.unused


@ON_BOTH
def test_boot_history_writes_a_line(target: Target, stores: Stores) -> None:
    """Its layer has no package that is not loaded."""
    table = {"MATCHBOX_HISTORY_TABLE": f"history-{uuid4()}"}
    with closing(stores.tables.client("dynamodb")) as client:
        create_history_table(client, table["MATCHBOX_HISTORY_TABLE"])
        line = {"message": "request", "route": "/ipxe", "method": "GET", "status": 200, "mac": "52:54:00:12:34:56"}
        run = target.run("BootHistory", [packed([json.dumps(line)], 1)], stores.environment() | table)
        items = client.scan(TableName=table["MATCHBOX_HISTORY_TABLE"])["Items"]
    assert {"mac:52:54:00:12:34:56"} == {item["pk"]["S"] for item in items if "place" in item}
    assert ([None], set()) == (run.responses, run.unused)
