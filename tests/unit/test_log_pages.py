"""What docs/operating.md and docs/troubleshooting.md say of the log, compared with its lines."""

import io
import json
import re
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.aws.clients.sigv4 import Credentials
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.http import Request
from lambda_matchbox.machines.policy import Policy
from lambda_matchbox.releases.pointers import Pointer, Release
from lambda_matchbox.web import wiring
from lambda_matchbox.web.app import App
from lambda_matchbox.web.routes import Routes, Stores
from lambda_matchbox.web.settings import Settings
from matchboxctl.directory.machine_states import DirectoryMachines
from tests.support.memory_catalog import MemoryCatalog
from tests.support.memory_releases import MemoryFiles, MemoryReleases
from tests.support.memory_secrets import MemorySecrets
from tests.support.paths import PROJECT

FIELDS = (PROJECT / "docs" / "operating.md").read_text().partition("| field | present |")[2].partition("\n\n")[0]
PAGE = (PROJECT / "docs" / "troubleshooting.md").read_text()
QUERIES = re.findall(r"```\n(filter .*?)```", PAGE, re.DOTALL)
WORDS = {"filter", "fields", "stats", "sort", "limit", "as", "by", "and", "asc", "desc"}
IPXE = {"host": "boot.example", "user-agent": "iPXE/1.21.1", "x-forwarded-for": "10.20.13.52"}
MACHINE = "mac=52-54-00-12-34-56&uuid=4c4c4544&serial=1&arch=arm64&hostname=n1&domain=lab.example"
DIGEST = f"sha256:{'a' * 64}"


def requests(app: App) -> None:
    """Requests with each kind of outcome."""
    for path, query in (
        ("/ipxe", f"os=all&{MACHINE}"),
        ("/ipxe", MACHINE),
        ("/ipxe", "os=none&a%0Ab=c"),
        ("/ipxe", "os=lost"),
        ("/ipxe", "os=bare"),
        ("/ignition", "os=all"),
        ("/generic", "os=all"),
        ("/ignition", "os=bare"),
        ("/cloud", "os=secret"),
        ("/assets/absent", ""),
        ("/assets/talos/vmlinuz", f"release={DIGEST}"),
        ("/assets/talos/vmlinuz", "release=sha256:former"),
        ("/assets/large", ""),
        ("/nowhere", ""),
    ):
        app.respond(Request("GET", path, query, IPXE | ({"user-agent": "GRUB 2.06"} if "large" in path else {})))
    script = app.respond(Request("GET", "/ipxe", f"os=gated&{MACHINE}", IPXE)).body.decode()
    with_token = f"os=gated&{MACHINE}&token={script.partition('set token ')[2].split()[0]}"
    for path in ("/generic", "/cloud", "/report"):
        app.respond(Request("GET", path, with_token, IPXE))


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Lines of the functions' log, those without a response from DynamoDB included."""
    machines = DirectoryMachines(tmp_path_factory.mktemp("machines"))
    releases = MemoryReleases()
    releases.served["talos"] = Pointer("talos", DIGEST, held=False, releases=(Release(DIGEST, "d", 1),))
    releases.stored["talos", "d"] = {"vmlinuz": b"kernel"}
    catalog = MemoryCatalog(
        [
            *(Group(name, profile=name, selector={"os": name}) for name in ("all", "bare", "lost", "secret")),
            Group("gated", profile="gated", selector={"os": "gated"}, boot=Policy(token=True)),
        ],
        [
            Profile("gated", cloud_id="secret", generic_id="plain", boot=NetBoot("/assets/large")),
            Profile("secret", cloud_id="secret"),
            Profile("all", ignition_id="absent", generic_id="t", boot=NetBoot("/assets/talos/vmlinuz")),
            Profile("bare"),
        ],
        {
            ("generic", "t"): b"{{.nothing}}",
            ("generic", "plain"): b"plain",
            ("cloud", "secret"): b'#cloud-config\na: {{secret "join"}}',
        },
        releases.pointers,
        machines.read_all,
    )
    stream = io.StringIO()
    log = Logger(service="troubleshooting", stream=stream, use_rfc3339=True)
    stores = Stores(
        catalog, MemoryFiles({"large": b"x" * 100}), releases, None, machines, MemorySecrets({"join": "a: b"})
    )
    requests(App(Routes(stores, Delivery(10, "-")), log))
    settings = Settings.from_environment(
        {
            "MATCHBOX_TABLE": "t",
            "MATCHBOX_BUCKET": "b",
            "AWS_REGION": "eu-west-1",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        }
    )
    found = wiring.stores(settings, lambda: Credentials("fake", "fake", None))
    wiring.app(settings, found, log).respond(Request("GET", "/ipxe", "", IPXE))
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def names_in(query: str) -> set[str]:
    """The fields of the log that a query names, without its own names and CloudWatch's."""
    text = re.sub(r'"[^"]*"', "", query)
    functions = set(re.findall(r"(\w+)\(", text))
    own = set(re.findall(r"\bas (\w+)", text))
    return set(re.findall(r"(?<![\w@.])[a-z_]\w*", text)) - WORDS - functions - own


@pytest.mark.system
def test_each_field_is_documented(lines: list[dict[str, Any]]) -> None:
    """Powertools adds `location`; a report of Butane's has a test of its own."""
    documented = {name for row in FIELDS.splitlines() for name in re.findall(r"`(\w+)`", row.partition(" | ")[0])}
    assert documented - {"butane"} == {name for line in lines for name in line} - {"location"}


@pytest.mark.system
@pytest.mark.parametrize("query", QUERIES)
def test_query_names_fields_of_the_log(query: str, lines: list[dict[str, Any]]) -> None:
    known = {name for line in lines for name in line}
    assert names_in(query)
    assert names_in(query) <= known


@pytest.mark.system
@pytest.mark.parametrize("query", QUERIES)
def test_query_finds_lines(query: str, lines: list[dict[str, Any]]) -> None:
    """Some line has every value that its filter wants; durations are not compared."""
    conditions = query.partition("\n")[0].removeprefix("filter ").split(" and ")
    assert [line for line in lines if all(holds(condition, line) for condition in conditions)]


def holds(condition: str, line: dict[str, Any]) -> bool:
    if present := re.fullmatch(r"ispresent\((\w+)(?:\.0)?\)", condition):
        return bool(line.get(present[1]))
    compared = re.fullmatch(r'(\w+) (=|>|>=) ("[^"]*"|[0-9]+)', condition)
    assert compared, condition
    name, sign, literal = compared.groups()
    found, wanted = line.get(name), json.loads(literal)
    if sign == "=":
        return bool(found == wanted)
    return isinstance(found, int | float) and (name == "milliseconds" or found >= wanted)


@pytest.mark.system
def test_reasons_are_those_of_the_log(lines: list[dict[str, Any]]) -> None:
    """Each has a line, and each line has one."""
    table = PAGE.partition("| `reason` |")[2].partition("\n\n")[0]
    patterns = [
        re.compile(".*".join(map(re.escape, reason.split("…"))))
        for reason in re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    ]
    reasons = [line["reason"] for line in lines if "reason" in line]
    assert [] == [one.pattern for one in patterns if not any(map(one.match, reasons))]
    assert [] == [reason for reason in reasons if not any(one.match(reason) for one in patterns)]
