"""What a request's line says of the machine, the same from the functions and from `serve`."""

import io
import json
from collections.abc import Callable
from itertools import count
from typing import Any
from urllib.parse import quote

import pytest
from aws_lambda_powertools import Logger

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.http import Request
from lambda_matchbox.releases.pointers import Pointer, Release
from lambda_matchbox.web.access_log import MACHINE_LABELS, AccessLogFields, Log, log_request
from lambda_matchbox.web.alb import BODY_LIMIT
from lambda_matchbox.web.app import App
from lambda_matchbox.web.json_log import JsonLog
from lambda_matchbox.web.routes import Routes, Stores
from tests.support.memory_catalog import MemoryCatalog
from tests.support.memory_releases import MemoryFiles, MemoryReleases
from tests.support.openpgp.keys import signatures

ARM, AMD = (f"sha256:{letter * 64}" for letter in "ab")
BOOT = NetBoot("/assets/arm/vmlinuz", ("--name a /assets/arm/a", "/assets/arm/b?release=sha256:old", "/assets/amd/c"))
TOKEN = "eyJhbGciOi-J_9.aZ"
NUMBERS = count()


def powertools(stream: io.StringIO) -> Log:
    """Loggers of one name share their first stream."""
    return Logger(service=f"access-log-{next(NUMBERS)}", stream=stream)


def serves(stream: io.StringIO) -> Log:
    return JsonLog("info", stream)


@pytest.fixture(params=[powertools, serves])
def logged(request: pytest.FixtureRequest) -> Callable[..., dict[str, Any]]:
    """The line of a request to an app with image sources."""
    releases = MemoryReleases()
    for part, digest in (("arm", ARM), ("amd", AMD)):
        releases.served[part] = Pointer(part, digest, held=False, releases=(Release(digest, "d", 1),))
        releases.stored[part, "d"] = {"vmlinuz": b"kernel"}
    catalog = MemoryCatalog(
        [Group("g", profile="p", selector={"os": "a"}), Group("plain", profile="plain", selector={"os": "plain"})],
        [Profile("p", boot=BOOT), Profile("plain", boot=NetBoot("/assets/own"))],
        {},
        releases.pointers,
    )
    stores = Stores(catalog, MemoryFiles({"own": b"own"}), releases, responses=None)
    stream = io.StringIO()
    app = App(Routes(stores, Delivery(BODY_LIMIT, "-"), signatures("ed25519")), request.param(stream))

    def line(path: str, query: str = "", **headers: str) -> dict[str, Any]:
        app.respond(Request("GET", path, query, {name.replace("_", "-"): value for name, value in headers.items()}))
        found: dict[str, Any] = json.loads(stream.getvalue().splitlines()[-1])
        return found

    return line


def test_line_says_which_machine_asked(logged: Callable[..., dict[str, Any]]) -> None:
    """Whatever the outcome; the hardware address is in matchbox's form, and other labels are not shown."""
    query = (
        "uuid=4c4c4544-0034&mac=52-54-00-AA-BB-0C&domain=lab.example&hostname=n1&serial=S%201&arch=arm64&secret=hidden"
    )
    wanted = {
        "mac": "52:54:00:aa:bb:0c",
        "uuid": "4c4c4544-0034",
        "serial": "S 1",
        "arch": "arm64",
        "hostname": "n1",
        "domain": "lab.example",
    }
    for path in ("/ipxe", "/ignition", "/boot.ipxe", "/assets/own", "/assets/absent", "/profiles/p", "/nowhere"):
        for os in ("a", "b"):
            line = logged(path, f"{query}&os={os}")
            assert wanted == {name: line[name] for name in MACHINE_LABELS}, path
            assert "hidden" not in json.dumps(line)


def test_line_omits_what_the_query_lacks(logged: Callable[..., dict[str, Any]]) -> None:
    """Empty, unresolved, invalid and overlong values count as absent."""
    query = "mac=none&uuid=${uuid}&serial=&arch=x86_64&hostname=" + "h" * 256 + "&domain=a%0Ab"
    line = logged("/ipxe", query)
    assert {"arch": "x86_64"} == {name: value for name, value in line.items() if name in MACHINE_LABELS}
    assert ["hostname", "domain"] == line["ignored_labels"]


def test_first_value_counts(logged: Callable[..., dict[str, Any]]) -> None:
    assert "52:54:00:00:00:01" == logged("/ipxe", "mac=52:54:00:00:00:01&mac=52:54:00:00:00:02")["mac"]


@pytest.mark.parametrize("path", ["/ipxe", "/ipxe.sig", "/grub", "/grub.asc"])
def test_script_line_has_the_releases_that_it_names(logged: Callable[..., dict[str, Any]], path: str) -> None:
    assert f"{ARM},sha256:old,{AMD}" == logged(path, "os=a")["release"]
    assert "release" not in logged(path, "os=plain")
    assert "release" not in logged("/metadata", "os=a&release=x")


def test_asset_line_has_the_release_that_was_asked_for(logged: Callable[..., dict[str, Any]]) -> None:
    """And neither group nor profile, of which a request for an asset says nothing."""
    line = logged("/assets/arm/vmlinuz", f"release={ARM}")
    assert (200, ARM) == (line["status"], line["release"])
    assert not {"group", "profile"} & line.keys()
    absent = logged("/assets/arm/vmlinuz", "release=" + "x" * 10_000)
    assert (404, "x" * 255) == (absent["status"], absent["release"])
    assert "release" not in logged("/assets/arm/vmlinuz")
    assert ("g", "p") == tuple(logged("/ipxe", "os=a")[name] for name in ("group", "profile"))


@pytest.mark.parametrize("spelling", ["token=", "TOKEN=", "token%3D", "token%253d"])
def test_token_is_never_logged(logged: Callable[..., dict[str, Any]], spelling: str) -> None:
    """Wherever a client puts it; what follows it in a query stays."""
    given = f"{spelling}{TOKEN}&next=1"
    for line in (
        logged(f"/ignition/{given}", given),
        logged(f"/assets/{given}", f"release={given}"),
        logged(f"/profiles/{given}"),
        logged("/ignition", f"os=a&hostname={quote(given)}", user_agent=f"Talos https://a/ignition?{given}"),
        logged(f"/ignition%3Fos=a&{given}"),
        logged(f"//a/{given}"),
    ):
        assert TOKEN not in json.dumps(line)
    line = logged("/x", user_agent=f"a ?{given}")
    assert f"a ?{spelling}***&next=1" == line["user_agent"]


@pytest.mark.parametrize("log", [powertools, serves])
def test_token_is_not_logged_from_reasons_and_reports(log: Callable[[io.StringIO], Log]) -> None:
    stream = io.StringIO()
    fields = AccessLogFields(reason=f"bad '?token={TOKEN}'", report=(f"line 1: 'token={TOKEN}'",))
    log_request(log(stream), Request("GET", "/", "", {}), fields, 0.0)
    line = json.loads(stream.getvalue())
    assert ("bad '?token=***'", ["line 1: 'token=***'"]) == (line["reason"], line["butane"])


def test_token_is_not_logged_from_exceptions() -> None:
    """The functions' runtime writes those, `serve` its log."""
    stream = io.StringIO()
    try:
        raise RuntimeError(f"GET /ignition?token={TOKEN}")
    except RuntimeError:
        JsonLog("info", stream).exception("failed for token=%s", TOKEN)
    assert TOKEN not in stream.getvalue()
    assert "GET /ignition?token=***" in stream.getvalue()
