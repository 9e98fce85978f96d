"""What a boot takes of DynamoDB and of the log, as `matchboxctl cost` counts it."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import count

import pytest

from boot_history.handler import events_in
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.http_connection import HttpResponse
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.machines.history_stores import History
from lambda_matchbox.machines.policy import Policy
from matchboxctl.cost import facts
from tests.contract.boot_app import boot_app
from tests.contract.conftest import MakeTable
from tests.contract.histories import on_dynamodb
from tests.rigs.catalog_table import CatalogTable
from tests.rigs.service import Service
from tests.support.log_subscription import packed
from tests.support.paths import PROJECT

pytestmark = pytest.mark.real
MACHINE = {"arch": "arm64", "mac": "52:54:00:12:34:56", "uuid": "4c4c4544-0038-4410-8052-b3c04f4b5931"}
PROFILE = Profile("p", ignition_id="i.yaml", boot=NetBoot("/assets/vmlinuz", ("/assets/initramfs",)))
REQUESTS = [("/boot.ipxe", {}), ("/ipxe", MACHINE), ("/ignition", MACHINE)]
DAY = 24 * 3600 * 1000


@pytest.fixture
def units(monkeypatch: pytest.MonkeyPatch, dynamodb_local: Service) -> Counter[str]:
    """Units of DynamoDB Local, by `reads` and `writes`, and `heads` of the bucket."""
    counted = Counter[str]()
    request = HttpClient.request

    def metered(
        self: HttpClient, method: str, url: str, headers: dict[str, str], body: bytes | None, deadline: float
    ) -> HttpResponse:
        if body is None:
            counted["heads"] += method == "HEAD"
            return request(self, method, url, headers, body, deadline)
        body = json.dumps(json.loads(body) | {"ReturnConsumedCapacity": "TOTAL"}).encode()
        response = request(self, method, url, headers, body, deadline)
        consumed = json.loads(response.body).get("ConsumedCapacity", [])
        target = next(value for name, value in headers.items() if name.lower() == "x-amz-target")
        kind = "reads" if target.endswith("GetItem") else "writes"
        for one in consumed if isinstance(consumed, list) else [consumed]:
            counted[kind] += one["CapacityUnits"]
        return response

    monkeypatch.setattr(HttpClient, "request", metered)
    return counted


def fill(table: CatalogTable, boot: Policy | None = None) -> None:
    table.writer.put_profile(PROFILE)
    table.writer.put_template("ignition", "i.yaml", b"machine: {}\n" + b"#" * 3500)
    table.fill(Group("g", profile="p", selector={"arch": "arm64"}, boot=boot))


def test_boot_takes_what_its_bill_says(
    dynamodb_local: Service,
    made: MakeTable,
    units: Counter[str],
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Also the boot's history, of which each line comes by itself."""
    with closing(made(dynamodb_local)) as table, on_dynamodb(dynamodb_local) as store:
        fill(table)
        table.s3_client.put_object(Bucket=table.name, Key="assets/vmlinuz", Body=b"x" * 2_000_000)
        settings = {"MATCHBOX_LOG_LEVEL": "info", "POWERTOOLS_METRICS_NAMESPACE": "matchbox/matchbox"}
        with boot_app(table, **settings) as app:
            for path, labels in REQUESTS:
                app.send(path, **labels)
            units.clear()
            capfd.readouterr()
            for path, labels in REQUESTS:
                app.send(path, **labels)
            assert {"reads": facts.READS} == units
            lines = [*_lines(capfd)]
            assert 0.9 < sum(map(_billed, lines)) / facts.REQUEST_LOG <= 1
            units.clear()
            assert 302 == app.send("/assets/vmlinuz").status
            assert {"reads": facts.FILE_READS, "heads": facts.FILE_HEADS} == units
            file_lines = [*_lines(capfd)]
            assert 0.9 < sum(map(_billed, file_lines)) / facts.FILE_LOG <= 1
        with_state = [json.dumps({**json.loads(line), "state": "ready"}) for line in lines]
        days = count()
        behind_cloudfront = History(store, has_assets=False)
        for history, written, reads, writes in (
            (behind_cloudfront, lines, 0, 0),
            (History(store), lines, facts.FILE_HISTORY, facts.FILE_HISTORY),
            (behind_cloudfront, with_state, 0, 0),
        ):
            for _ in range(2):
                units.clear()
                day = next(days)
                for at, line in enumerate(written):
                    history.add(events_in(packed([line], day * DAY + at)))
            assert {"reads": facts.HISTORY_READS + reads, "writes": facts.HISTORY_WRITES + writes} == units
        units.clear()
        History(store).add(events_in(packed(file_lines, DAY)))
        assert {"reads": facts.FILE_HISTORY, "writes": facts.FILE_HISTORY} == units


def test_boot_with_a_token_takes_what_the_page_says(
    dynamodb_local: Service, made: MakeTable, units: Counter[str]
) -> None:
    with closing(made(dynamodb_local)) as table:
        fill(table, Policy(token=True))
        with boot_app(table) as app:
            for _ in range(2):
                units.clear()
                token = re.search(rb"^set token (.+)$", app.send("/ipxe", **MACHINE).body, re.MULTILINE)
                assert token is not None
                assert 200 == app.send("/ignition", **MACHINE, token=token[1].decode()).status
    reads, writes = _on_page(r"a token in the boot policy: (\d) units of reads and (\d) of writes more")
    assert {"reads": facts.READS + reads, "writes": writes} == units


def _lines(capture: pytest.CaptureFixture[str]) -> Iterator[str]:
    yield from capture.readouterr().out.splitlines()


def _on_page(sentence: str) -> list[int]:
    found = re.search(sentence, (PROJECT / "docs" / "deploy.md").read_text())
    assert found is not None
    return [int(number) for number in found.groups()]


def _billed(line: str) -> int:
    # CloudWatch Logs adds 26 bytes to each.
    return len(line.encode()) + 1 + 26
