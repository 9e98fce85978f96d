"""A table with boot policies, read by this release and by ones before policies, each as the files of its function."""

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.machines.policy import Policy
from tests.contract.conftest import MakeTable
from tests.rigs.catalog_table import CatalogTable
from tests.rigs.service import Service
from tests.support.paths import PROJECT

pytestmark = pytest.mark.system

BEFORE = {"0.2.0": "a05adf5", "the last one without policies": "9ac1664"}
ROUTES = ("/ipxe", "/grub", "/generic", "/metadata")
PLAIN, GATED = {"os": "plain"}, {"os": "gated", "mac": "52:54:00:12:34:56"}
LIMIT = 60
ASK = """
import json, sys
from boot_api.handler import handler
import lambda_matchbox

found = [lambda_matchbox.__file__]
for path, labels in json.load(sys.stdin):
    query = {key: [value] for key, value in labels.items()}
    event = {"httpMethod": "GET", "path": path, "multiValueQueryStringParameters": query}
    event["multiValueHeaders"] = {"host": ["boot.example"], "x-forwarded-for": ["10.0.0.5"]}
    try:
        response = handler(event, None)
        found.append([response["statusCode"], response["body"]])
    except Exception as error:
        # The balancer's 502.
        found.append([502, str(error)])
print("\\n" + json.dumps(found))
"""


@pytest.fixture(scope="module")
def table(moto_server: Service, made: MakeTable) -> Iterator[CatalogTable]:
    with closing(made(moto_server)) as table:
        table.writer.put_template("generic", "t", b"secret of {{.os}}")
        table.writer.put_profile(Profile("p", generic_id="t", boot=NetBoot("/assets/vmlinuz")))
        table.fill(
            Group("plain", profile="p", selector={"os": "plain"}),
            Group("gated", profile="p", selector={"os": "gated"}, boot=Policy(approve=True)),
        )
        yield table


def asked(functions: Path, table: CatalogTable) -> list[tuple[int, str]]:
    """What the function responds to both machines on each route."""
    service = table.service
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(functions),
        "MATCHBOX_TABLE": table.name,
        "MATCHBOX_BUCKET": table.name,
        "MATCHBOX_LOG_LEVEL": "critical",
        "AWS_REGION": service.region,
        "AWS_ACCESS_KEY_ID": service.access_key,
        "AWS_SECRET_ACCESS_KEY": service.secret_key,
        "AWS_ENDPOINT_URL_DYNAMODB": service.endpoint,
        "AWS_ENDPOINT_URL_S3": service.endpoint,
    }
    requests = [(path, labels) for labels in (PLAIN, GATED) for path in ROUTES]
    ended = subprocess.run(
        [sys.executable, "-c", ASK],
        env=environment,
        input=json.dumps(requests),
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )
    assert ended.returncode == 0, ended.stderr
    origin, *found = json.loads(ended.stdout.splitlines()[-1])
    assert Path(origin).is_relative_to(functions)
    return [(status, body) for status, body in found]


def functions_of(commit: str, target: Path) -> Path:
    """The functions as they were, from the repository's history."""
    command = ["git", "-C", str(PROJECT), "archive", commit, "functions"]
    ended = subprocess.run(command, capture_output=True, check=False, timeout=LIMIT)
    if ended.returncode != 0:
        pytest.skip(f"the history has no {commit}: {ended.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(ended.stdout)) as archive:
        archive.extractall(target, filter="data")
    return target / "functions"


@pytest.mark.parametrize("release", BEFORE)
def test_a_release_before_boots_no_machine_of_a_group_with_a_policy(
    table: CatalogTable, tmp_path: Path, release: str
) -> None:
    """Both answer groups without one alike."""
    old = asked(functions_of(BEFORE[release], tmp_path), table)
    new = asked(PROJECT / "functions", table)
    plain, gated = slice(0, len(ROUTES)), slice(len(ROUTES), None)
    assert [200] * len(ROUTES) == [status for status, _ in new[plain]]
    assert new[plain] == old[plain]
    assert [200, 200, 503, 503] == [status for status, _ in new[gated]]
    assert {True} == {status >= 500 for status, _ in old[gated]}
    assert not [body for _, body in (*old[gated], *new[gated]) if "vmlinuz" in body or "secret" in body]
