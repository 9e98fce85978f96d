"""The built functions and the bucket behind the template's CloudFront."""

import http.client
import json
import re
import ssl
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.machines.policy import Policy
from tests.conformance.http_exchange import exchange
from tests.conformance.recordings import HERE, SUITES, Recording, Response, assert_reproduced, recordings
from tests.rigs.oci_registry import OciRegistry
from tests.stack.cloudfront.test_signatures import QUERIES
from tests.stack.place import BEHIND_CLOUDFRONT, Place
from tests.support.commands import Commands
from tests.support.images.layers import Entry, gzipped
from tests.support.images.manifests import image
from tests.support.nightly import NIGHTLY
from tests.support.openpgp.independent import is_signed
from tests.support.openpgp.keys import key_ring
from tests.support.retry_on_503 import retry_on_503
from tools.template_translation import PROJECT

pytestmark = pytest.mark.real

DIFFERENCES = {
    "assets GET /assets/flatcar": 404,
    "assets GET /assets/site": 404,
    "assets GET /assets/site/index.html": 200,
    "assets GET /assets//flatcar/3227.2.0/kernel": 200,
    "assets GET /assets/..%2fsecret.txt": 404,
    "assets GET /assets/flatcar/3227.2.0/kernel {'Range': 'bytes=5000-'}": 416,
    "assets GET /assets/flatcar/3227.2.0/kernel/": 301,
}
"""The statuses of recordings that docs/deploy.md, "Behind CloudFront", excepts; so are all POST and missing assets."""

SYNC = json.loads((PROJECT / "events" / "asset-sync-source.json").read_text())
TALOS = "/assets/talos/arm64/"
PAIRS = 10_000 if NIGHTLY else 40


@pytest.fixture(scope="module")
def ports(new_place: Any) -> Iterator[dict[str, int]]:
    """A distribution for each suite of recordings, which gives configurations over http too, as matchbox does."""
    with ExitStack() as running:
        ports = {}
        for suite in SUITES:
            place = new_place(**BEHIND_CLOUDFRONT, PlainConfigurations="yes")
            place.stores.fill(HERE / suite / "data")
            ports[suite] = running.enter_context(place.cloudfront()).port
        yield ports


@pytest.mark.slow
@pytest.mark.parametrize("recording", recordings(), ids=lambda recording: recording.name)
def test_response_is_the_recorded_one(recording: Recording, ports: dict[str, int]) -> None:
    got = exchange(ports[recording.suite], recording)
    if recording.method == "POST":
        assert (403, "CloudFront") == (got.status, got.headers["server"])
    elif recording.target.startswith("/assets/") and recording.response.status == 404:
        assert (404, "application/xml") == (got.status, got.headers["content-type"])
    elif recording.name in DIFFERENCES:
        assert DIFFERENCES[recording.name] == got.status
        assert recording.response.headers.get("location") == got.headers.get("location") or got.status != 301
    else:
        assert_reproduced(recording, got, behind_balancer=False)


@pytest.mark.parametrize("query", QUERIES)
def test_query_arrives_as_it_was_sent(query: str, ports: dict[str, int]) -> None:
    response = got(ports["selection"], f"/metadata?arch=arm64&{query}")
    assert 200 == response.status
    assert f"REQUEST_RAW_QUERY=arch=arm64&{query}\n".encode() in response.body


def test_longest_query_arrives_and_a_longer_one_is_refused(ports: dict[str, int]) -> None:
    room = 8192 - len("http://matchbox.test/metadata?k=")
    responses = [got(ports["selection"], f"/metadata?k={'x' * length}") for length in (room, room + 1)]
    assert [200, 414] == [response.status for response in responses]


MACS = ("52-54-00-00-00-01", "52-54-00-00-00-02")


def two_machines(place: Place) -> Place:
    """The stack, with a group for each of MACS that needs tokens."""
    place.stores.create()
    writer = place.stores.writer()
    writer.put_template("cloud", "c", b"#!/bin/sh\n")
    for mac in MACS:
        writer.put_profile(Profile(mac, cloud_id="c", boot=NetBoot("/assets/k", args=(f"own={mac}", "t=${token}"))))
        writer.put_group(Group(mac, profile=mac, selector={"mac": mac.replace("-", ":")}, boot=Policy(token=True)))
    return place


def asked_in_pairs(port: int, pairs: int) -> int:
    """How many responses were somebody else's too, of pairs of machines that ask at once; each fourth for the same."""
    together, adding = threading.Barrier(2, timeout=60), threading.Lock()
    requests, wrong = set[str](), 0

    def asked(connection: http.client.HTTPConnection, mac: str) -> tuple[int, str, str]:
        connection.request("GET", f"/ipxe?mac={mac}")
        response = connection.getresponse()
        return response.status, response.headers["x-amzn-requestid"], response.read().decode()

    def machine(number: int) -> None:
        nonlocal wrong
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            for pair in range(pairs):
                mac = MACS[number if pair % 4 else 0]
                together.wait()
                _, request, script = retry_on_503(partial(asked, connection, mac), lambda response: response[0])
                with adding:
                    wrong += f"own={mac}" not in script
                    requests.add(request)

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(machine, number) for number in range(2)]:
            done.result()
    return max(wrong, 2 * pairs - len(requests))


def test_machines_that_ask_at_once_never_share_a_response(new_place: Any) -> None:
    with two_machines(new_place(**BEHIND_CLOUDFRONT)).cloudfront() as door:
        assert 0 == asked_in_pairs(door.port, PAIRS)


def test_machines_would_share_responses_if_caching_were_not_disabled(new_place: Any) -> None:
    """With CachingOptimized, whose key has no query, and which heeds no `no-store`."""
    place = two_machines(new_place(**BEHIND_CLOUDFRONT))
    default = place.stack.properties("Distribution")["DistributionConfig"]["DefaultCacheBehavior"]
    default["CachePolicyId"] = "658327ea-f89d-4fab-a63d-7e88639e58f6"
    with place.cloudfront() as door:
        assert 10 < asked_in_pairs(door.port, 20)


def test_configuration_is_given_over_https_against_the_token_of_a_script_over_http(new_place: Any) -> None:
    with two_machines(new_place(**BEHIND_CLOUDFRONT)).cloudfront() as door:
        script = got(door.port, f"/ipxe?mac={MACS[0]}").body.decode()
        assert "\nset base https://d111111abcdef8.cloudfront.net/\n" in script
        token = script.split("set token ")[1].split()[0]
        target = f"/cloud?mac={MACS[0]}&token={token}"
        assert 403 == got(door.port, target).status
        trusted = ssl.create_default_context(cafile=str(door.authority))
        with urllib.request.urlopen(f"https://127.0.0.1:{door.https_port}{target}", context=trusted) as response:
            assert b"#!/bin/sh\n" == response.read()
        assert not any(token in line for line in door.functions["BootApi"].log())


def test_file_of_any_name_is_found_and_kept_once_however_its_address_is_spelled(new_place: Any) -> None:
    place = new_place(**BEHIND_CLOUDFRONT)
    place.stores.create()
    names = [f"v1{each}x" for each in "!\"$&'()*+,-.:;<=>@[]^_`{|}~\u00fc\u4e16\U0001f600 %?#"]
    for name in names:
        place.stores.put_asset(name, name.encode())
    with place.cloudfront() as door:
        for name in names:
            escaped = quote(name)
            plain = escaped if set(name) & set(" %?#") else name
            responses = [got(door.port, f"/assets/{each}") for each in (plain, escaped, f"%76{escaped[1:].lower()}")]
            assert [name.encode()] * 3 == [response.body for response in responses]
            assert ["Miss", "Hit", "Hit"] == [response.headers["x-cache"].split()[0] for response in responses]


def test_signatures_verify_the_other_functions_responses(new_place: Any, new_secret: Any) -> None:
    place = new_place(**BEHIND_CLOUDFRONT, SigningKeySecret=new_secret(json.dumps({"key": key_ring("rsa").decode()})))
    place.stores.fill(HERE / "seed" / "data")
    place.stores.put_asset("vmlinuz.sig", b"the operator's")
    with place.cloudfront() as door:
        for target in ("/boot.ipxe{}", "/ipxe{}?arch=arm64"):
            plain, *signatures = [got(door.port, target.format(suffix)).body for suffix in ("", ".sig", ".asc")]
            assert [True] * 2 == [is_signed(body, plain) for body in signatures], target
        assert [403] * 2 == [got(door.port, f"/ignition{suffix}").status for suffix in ("", ".sig")]
        assert b"the operator's" == got(door.port, "/assets/vmlinuz.sig").body
        assert '"signing"' in "".join(door.functions["SignedApi"].log())


def test_files_of_releases_are_those_that_the_function_serves(
    new_place: Any,
    oci_registry: OciRegistry,
    capfdbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those that scripts name and those with stable names, after each move of the pointer, at edges without a cache."""
    names = ("vmlinuz", "initramfs.xz")

    def pushed(version: str) -> str:
        files = [Entry(f"output/talos/arm64/{name}", f"{name} {version}".encode()) for name in names]
        return oci_registry.push(image([gzipped(*files)]), "behind/talos", "v1")

    def publish(version: str) -> None:
        pushed(version)
        sync.invoke(SYNC)

    rollback = partial(Commands(capfdbinary), "rollback", "talos-arm64")
    place = new_place(**BEHIND_CLOUDFRONT, SourceImage=pushed("one"))
    place.stores.create()
    writer = place.stores.writer()
    writer.put_profile(Profile("p", boot=NetBoot(TALOS + names[0], (TALOS + names[1],))))
    writer.put_group(Group("g", profile="p"))
    for name, value in place.stores.environment().items():
        monkeypatch.setenv(name, value)
    scripts: list[list[str]] = []
    with place.invoking("AssetSync") as sync, place.invoking("BootApi") as function:
        for current, move in (("one", partial(publish, "one")), ("two", partial(publish, "two")), ("one", rollback)):
            move()
            with place.cloudfront() as door:
                scripts.append(addresses(got(door.port, "/ipxe").body))
                stable = [TALOS + name for name in names]
                for wanted in (stable, *scripts):
                    responses = [got(door.port, address) for address in wanted]
                    kept = "max-age=60" if wanted is stable else "max-age=3600"
                    assert [kept] * 2 == [response.headers["cache-control"] for response in responses]
                    files = [response.body.decode() for response in responses]
                    assert files == [fetched(function, address) for address in wanted]
                    assert 1 == len({file.split()[1] for file in files})
                assert f"vmlinuz {current}" == got(door.port, stable[0]).body.decode()
    assert scripts[0] == scripts[2] != scripts[1]


def addresses(script: bytes) -> list[str]:
    """The addresses of kernel and initramfs, which name their release."""
    found = re.findall(r"/assets/\S+\?release=\S+", script.decode())
    assert 2 == len(found), script
    return found


def fetched(function: Any, address: str) -> str:
    """The file that the function gives or leads to, as behind the balancer."""
    path, _, release = address.partition("?release=")
    query = {"multiValueQueryStringParameters": {"release": [release]} if release else {}}
    headers = {"host": ["boot.example"], "x-forwarded-for": ["10.0.0.5"], "user-agent": ["curl/8"]}
    response = function.invoke({"httpMethod": "GET", "path": path, "multiValueHeaders": headers, **query})
    if response["statusCode"] == 200:
        return str(response["body"])
    with urllib.request.urlopen(response["multiValueHeaders"]["location"][0]) as found:
        body: bytes = found.read()
    return body.decode()


def got(port: int, target: str, **headers: str) -> Response:
    return exchange(port, Recording("", "GET", target, headers, Response(0, {}, b"")))
