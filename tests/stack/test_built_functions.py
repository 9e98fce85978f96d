"""The built functions under AWS's runtime client, behind the template's load balancer.

The stores are DynamoDB Local and versitygw; the artefacts are those for this machine's processor.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.machines.history_stores import Wanted
from lambda_matchbox.machines.policy import Policy
from tests.boot.clients import boot
from tests.boot.fleet import named, write_data_directory
from tests.boot.networks import Servers
from tests.conformance.http_exchange import exchange
from tests.conformance.recordings import HERE, SUITES, Recording, Response, assert_reproduced, recordings
from tests.rigs.lambda_runtime import FunctionFailedError
from tests.rigs.oci_registry import OciRegistry
from tests.rigs.program import free_port
from tests.rigs.service import Service
from tests.stack.filter_patterns import matches
from tests.support.balancer_events import EXPECTED, assert_response, event, fill
from tests.support.canaries import DELIVERED, SECRETS, boot_all, by_http, traces, write_data
from tests.support.images.layers import Entry, gzipped
from tests.support.images.manifests import image
from tests.support.log_subscription import packed
from tests.support.openpgp.independent import is_signed
from tests.support.openpgp.keys import PASSPHRASE, key_ring
from tests.support.retry_on_503 import retry_on_503
from tools.template_translation import PROJECT

SCHEDULE = json.loads((PROJECT / "events" / "asset-sync-schedule.json").read_text())
MAC, UUID = "52:54:00:12:34:56", "4c4c4544-0038-4410-8052-b3c04f4b5931"
ONE_SOURCE = json.loads((PROJECT / "events" / "asset-sync-source.json").read_text())


@pytest.fixture(scope="module")
def ports(new_place: Any) -> Iterator[dict[str, int]]:
    """A balancer for each suite of recordings, with all of its functions warm or cold as they come."""
    with ExitStack() as running:
        ports = {}
        for suite in SUITES:
            place = new_place()
            place.stores.fill(HERE / suite / "data")
            ports[suite] = running.enter_context(place.balancer()).port
        yield ports


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("recording", recordings(), ids=lambda recording: recording.name)
def test_response_is_the_recorded_one(recording: Recording, ports: dict[str, int]) -> None:
    assert_reproduced(recording, exchange(ports[recording.suite], recording), behind_balancer=True)


@pytest.mark.real
def test_events_get_the_expected_responses(new_place: Any) -> None:
    place = new_place()
    fill(place.stores)
    with place.invoking("BootApi") as function:
        for name in sorted(EXPECTED):
            assert_response(name, _invoked(function, event(name)))
        lines = [json.loads(line) for line in function.log()]
    requests = [line for line in lines if line.get("message") == "request" and line["status"] != 503]
    assert len(EXPECTED) == len(requests)
    counted = [line for line in lines if "_aws" in line]
    assert {"matchbox/matchbox"} == {each["_aws"]["CloudWatchMetrics"][0]["Namespace"] for each in counted}


@pytest.mark.real
def test_boots_are_in_the_history(new_place: Any) -> None:
    """Of those lines of the real log that the template's filter takes, and with another log level than the default."""
    place = new_place(LogLevel="debug")
    place.stores.create()
    writer = place.stores.writer()
    writer.put_profile(Profile("p", cloud_id="c", boot=NetBoot("/assets/vmlinuz")))
    writer.put_group(Group("g", profile="p", selector={"mac": MAC}, boot=Policy(token=True)))
    writer.put_template("cloud", "c", b"#!/bin/sh\n")
    place.stores.put_asset("vmlinuz", b"kernel")
    with place.invoking("BootApi") as function:
        assert 200 == _asked(function, "/boot.ipxe")["statusCode"]
        script = _asked(function, "/ipxe", mac=MAC, uuid=UUID, serial="SN1", arch="arm64")["body"]
        token = script.split("set token ")[1].split()[0]
        assert 200 == _asked(function, "/assets/vmlinuz")["statusCode"]
        assert 200 == _asked(function, "/cloud", mac=MAC, token=token)["statusCode"]
        assert 403 == _asked(function, "/cloud", "10.0.0.6", mac=MAC, token=token)["statusCode"]
        log = function.log()
    handed_over = place.handed_over(log)
    assert 4 == len(handed_over)
    used_twice = place.stack.properties("TokensUsedTwice")["FilterPattern"]
    assert 1 == sum(matches(used_twice, line) for line in log)
    now = time.time_ns() // 1_000_000
    with place.history() as (function, history):
        for _ in range(2):
            assert function.invoke(packed(handed_over, now)) is None
        (record,) = history.page(Wanted(), 10).records
        assert (MAC, UUID, "SN1", "g", "p", "arm64", "installing") == tuple(
            map(record.fact, ("mac", "uuid", "serial", "group", "profile", "arch", "state"))
        )
        assert [("/ipxe", 200), ("/assets/vmlinuz", 200), ("/cloud", 200), ("/cloud", 403)] == [
            (event.what, event.status) for event in history.events(record, now)
        ]


@pytest.mark.real
def test_first_scheduled_run_syncs_the_parameters_source(new_place: Any, oci_registry: OciRegistry) -> None:
    files = [Entry(f"output/talos/arm64/{name}", name.encode()) for name in ("vmlinuz", "initramfs.xz")]
    reference = oci_registry.push(image([gzipped(*files)]), "first/talos", "v1")
    place = new_place(SourceImage=reference)
    with place.balancer() as running, place.invoking("AssetSync") as sync:
        assert (200, b"matchbox\n") == _got(running.port, "/")
        assert b"#!ipxe\n" == _got(running.port, "/boot.ipxe")[1][:7]
        place.stores.create()
        assert {"changed": ["talos-arm64"]} == _without_empty(sync.invoke(SCHEDULE))
        assert (200, b"vmlinuz") == _got(running.port, "/assets/talos/arm64/vmlinuz")
        assert {"unchanged": ["talos-arm64"]} == _without_empty(sync.invoke(ONE_SOURCE))


@pytest.mark.real
def test_sync_without_a_table_fails_and_is_retried(new_place: Any) -> None:
    """The function does not load again for the retry."""
    place = new_place()
    with place.invoking("AssetSync") as sync:
        for _ in range(2):
            with pytest.raises(FunctionFailedError, match=r"^SyncFailedError: cannot read .*ResourceNotFound"):
                sync.invoke(SCHEDULE)
        assert 1 == sync.environments


@pytest.mark.real
def test_signatures_verify_the_other_functions_responses(new_place: Any, new_secret: Any) -> None:
    place = new_place(SigningKeySecret=new_secret(json.dumps({"key": key_ring("rsa").decode()})))
    fill(place.stores)
    place.stores.put_asset("vmlinuz.sig", b"the operator's")
    with place.balancer() as running:
        assert {"BootApi", "SignedApi"} == set(running.functions)
        for target in (
            "/boot.ipxe{}",
            "/ipxe{}?arch=arm64",
            "/cloud{}?mac=52-54-00-00-00-07",
            "/metadata{}?arch=arm64",
        ):
            plain, *signatures = [_got(running.port, target.format(suffix)) for suffix in ("", ".sig", ".asc")]
            assert [(200, True)] * 2 == [(status, is_signed(body, plain[1])) for status, body in signatures], target
        assert [404, 404] == [_got(running.port, f"/cloud{suffix}?arch=arm64")[0] for suffix in ("", ".sig")]
        assert (200, b"the operator's") == _got(running.port, "/assets/vmlinuz.sig")
        assert '"signing"' in "".join(running.functions["SignedApi"].log())


@pytest.mark.real
def test_protected_key_signs(new_place: Any, new_secret: Any) -> None:
    secret = {"key": key_ring("ed25519-miscounted").decode(), "passphrase": PASSPHRASE}
    place = new_place(SigningKeySecret=new_secret(json.dumps(secret)))
    with place.invoking("SignedApi") as function:
        assert 200 == _invoked(function, {**event("boot-ipxe"), "path": "/boot.ipxe.asc"})["statusCode"]


@pytest.mark.real
def test_key_that_cannot_sign_stops_only_signed_api(new_place: Any, new_secret: Any) -> None:
    place = new_place(SigningKeySecret=new_secret(json.dumps({"key": key_ring("expired").decode()})))
    place.stores.create()
    with place.balancer() as running:
        assert 200 == _got(running.port, "/boot.ipxe")[0]
        assert 502 == _got(running.port, "/boot.ipxe.sig")[0]
    with place.invoking("SignedApi") as function, pytest.raises(FunctionFailedError, match="expired on 2020-01-03"):
        function.invoke(event("boot-ipxe"))


@pytest.fixture
def canaries(moto_server: Service) -> Iterator[None]:
    """The secrets of the canaries' templates in the stack's Parameter Store."""
    names = {f"/matchbox/matchbox/{name}": value for name, value in SECRETS.items()}
    with closing(moto_server.client("ssm")) as ssm:
        for name, value in names.items():
            ssm.put_parameter(Name=name, Value=value, Type="SecureString", Tier="Advanced")
        yield
        ssm.delete_parameters(Names=[*names])


@pytest.mark.real
@pytest.mark.usefixtures("canaries")
def test_values_of_secrets_leave_no_trace(new_place: Any, new_secret: Any, tmp_path: Path) -> None:
    place = new_place(LogLevel="debug", SigningKeySecret=new_secret(json.dumps({"key": key_ring("rsa").decode()})))
    place.stores.fill(write_data(tmp_path))
    with place.balancer() as running:
        assert {"good": DELIVERED["good"]} == boot_all(by_http(running.port), ("good", "unknown", "open"))
        log = [line for function in running.functions.values() for line in function.log()]
    assert [] == traces("\n".join(log))
    assert {"BootApi", "SignedApi"} == set(running.functions)
    assert sum('"_aws"' in line for line in log) == sum('"message":"request"' in line for line in log) > 100
    with place.history() as (function, _):
        assert function.invoke(packed(place.handed_over(log), time.time_ns() // 1_000_000)) is None
        assert [] == traces("\n".join(function.log()))
    everything = place.stores.contents(f"{place.stores.name}-history")
    assert {} == {name: found for name, body in everything if (found := traces(body))}


@pytest.mark.boot
def test_machine_boots_from_presigned_urls(new_place: Any, tmp_path: Path) -> None:
    member, place = named("bios-ipxe-new"), new_place()
    data, scratch, port = tmp_path / "data", tmp_path / "machine", free_port()
    scratch.mkdir()
    write_data_directory(data, member, port)
    place.stores.fill(data)
    with place.balancer(port) as running:
        bucket = urlsplit(place.stores.buckets.endpoint).port
        result = boot(member.client, Servers(running.port, bucket=bucket), member.machine, scratch)
    assert member.configuration == result.configuration, result.console


def _asked(function: Any, path: str, address: str = "10.0.0.5", **labels: str) -> Any:
    query = {name: [value] for name, value in labels.items()}
    request = {"httpMethod": "GET", "path": path, "multiValueQueryStringParameters": query}
    headers = {"host": ["boot.example"], "x-forwarded-for": [address], "user-agent": ["curl/8"]}
    return _invoked(function, {**request, "multiValueHeaders": headers})


def _got(port: int, target: str) -> tuple[int, bytes]:
    response = exchange(port, Recording("", "GET", target, {}, Response(0, {}, b"")))
    return response.status, response.body


def _invoked(function: Any, request: Mapping[str, Any]) -> Any:
    """The response, asked for again while it is 503: the stores may be late on a busy machine."""
    return retry_on_503(lambda: function.invoke(request), lambda response: response["statusCode"])


def _without_empty(report: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {what: sources for what, sources in report.items() if sources}
