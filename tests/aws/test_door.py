"""What the front door responds."""

import socket
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from urllib.parse import urlsplit

import pytest

from tests.aws.deployed import Deployed, fetch

QUERIES = (
    'x="1"&y="',
    "x=1+2&y=%20&z=%2B",
    "x=a/b&y=a%2Fb&z=a%2fb",
    "x=52:54:00:00:00:01&y=52%3A54",
    "x[]=1&y=[2]",
    "x=1;y=2",
    "x=1&y=2&x=3",
    "x",
    "x=&&y=",
    "x=%2541",
    "x=a=b&y=!'()*,$@",
    "x=%C3%A9&y=%FF",
)
CONFIGURATIONS = ("/ignition", "/cloud", "/generic", "/metadata", "/report")


def as_known(query: str, deployed: Deployed) -> str:
    """The query as far as a function knows it: the balancer's event has a list of values for each name."""
    if deployed.behind_cloudfront:
        return query
    values: dict[str, list[str]] = {}
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        values.setdefault(name, []).append(value)
    return "&".join(f"{name}={value}" for name, each in values.items() for value in each)


def test_addresses(deployed: Deployed) -> None:
    """The addresses of the outputs answer."""
    for address in sorted({deployed.plain, deployed.base}):
        root, script = fetch(f"{address}/"), fetch(f"{address}/boot.ipxe")
        advice = "see the log of boot_api, and whether this machine's network is admitted"
        assert (200, b"matchbox\n") == (root.status, root.body), f"{address}/ gave {root}: {advice}"
        assert (200, b"#!ipxe\n") == (script.status, script.body[:7]), f"{address}/boot.ipxe gave {script}: {advice}"


def test_queries(deployed: Deployed) -> None:
    """Queries reach the function as they were sent: it repeats them in its redirect from /assets."""
    advice = "machines that send such a query boot wrongly: report it with this message"
    for query in QUERIES:
        response = deployed.get(f"/assets?{query}")
        assert 301 == response.status, f"{query!r} gave {response}: {advice}"
        arrived = response.headers["location"].partition("?")[2]
        assert as_known(query, deployed) == as_known(arrived, deployed), f"{query!r} arrived as {arrived!r}: {advice}"


def test_paths(deployed: Deployed) -> None:
    """Paths with escapes reach the function, and CloudFront takes one spelling of an address."""
    for path in ("/profiles/a%20b%2Fc", "/profiles/a+b;c='(d)*", "/profiles/%C3%A9"):
        response = deployed.get(path)
        assert 404 == response.status, f"{path} gave {response}: CloudFront's signature does not hold for it; report it"
    _only_cloudfront(deployed)
    response = deployed.get("/%69gnition", "HEAD")
    assert 403 == response.status, f"/%69gnition by http gave {response}: compare the function with template.yaml"
    response = deployed.ranged(f"/{deployed.asset}")
    assert 206 == response.status, (
        f"/{deployed.asset} gave {response}: profiles with ${{cwduri}}/assets/ fail; report it"
    )


def test_head(deployed: Deployed) -> None:
    """HEAD of a script and of an asset has the length of GET; UEFI HTTP boot needs it."""
    sizes = {"/boot.ipxe": str(len(deployed.get("/boot.ipxe").body))}
    sizes[deployed.asset] = deployed.ranged(deployed.asset).headers.get("content-range", "").rpartition("/")[2]
    for path, size in sizes.items():
        head = deployed.get(path, "HEAD")
        assert (200, size) == (head.status, head.headers.get("content-length")), (
            f"HEAD {path} gave {head} with content-length {head.headers.get('content-length')}, GET has {size} bytes: "
            "UEFI HTTP boot fails here, iPXE and GRUB do not; report it"
        )


def test_range(deployed: Deployed) -> None:
    """A part of an asset is a 206."""
    response = deployed.ranged(deployed.asset)
    assert (206, 1) == (response.status, len(response.body)), (
        f"the first byte of {deployed.asset} gave {response}: interrupted downloads begin anew; report it"
    )


def test_http10(deployed: Deployed) -> None:
    """HTTP/1.0 with a Host, as old firmware speaks it."""
    door = urlsplit(deployed.plain)
    with socket.create_connection((door.hostname, door.port or 80), timeout=30) as connection:
        connection.sendall(f"GET /boot.ipxe HTTP/1.0\r\nHost: {door.netloc}\r\nConnection: close\r\n\r\n".encode())
        response = b"".join(iter(lambda: connection.recv(65536), b""))
    assert (b"200", True) == (response[9:12], b"\r\n\r\n#!ipxe\n" in response), (
        f"HTTP/1.0 gave {response[:200]!r}: clients that speak it cannot boot here; report it"
    )


def test_shared(deployed: Deployed, load: int) -> None:
    """Of LOAD machines that ask at once each gets its own response, and none gets one that was given before."""
    identity, begin = uuid.uuid4().hex, Barrier(load)

    def send(number: int) -> tuple[int, str, str, float]:
        begin.wait()
        response = deployed.get(f"/assets?x={identity}-{number}")
        return response.status, response.headers.get("location", ""), str(response), response.seconds

    with ThreadPoolExecutor(load) as pool:
        responses = list(pool.map(send, range(load)))
    seconds = sorted(each[3] for each in responses)
    print(f"{load} at once: {seconds[0]:.3f} to {seconds[-1]:.3f} s, half of them within {seconds[load // 2]:.3f} s")
    refused = [said for status, _, said, _ in responses if status != 301]
    assert [] == refused[:1], f"{len(refused)} of {load} were refused: see Throttling in docs/deploy.md"
    got = [location for _, location, _, _ in responses]
    strange = [each for number, each in enumerate(got) if each != f"/assets/?x={identity}-{number}"]
    assert [] == strange, "machines got responses of others: the door caches or collapses; take it out of DHCP now"
    for _ in range(2):
        said = deployed.get("/boot.ipxe").headers.get("x-cache", "")
        advice = "compare the default behaviour's cache policy with template.yaml"
        assert "hit" not in said.lower(), f"/boot.ipxe came from CloudFront's cache: {advice}"


def test_cold(deployed: Deployed) -> None:
    """Assets by http that CloudFront does not have, which it asks the bucket for by http."""
    _only_cloudfront(deployed)
    advice = "the bucket's policy (TlsForReads, ReadsByCloudFront) refuses CloudFront: compare it with template.yaml"
    absent = deployed.get(f"/assets/{uuid.uuid4().hex}")
    assert 404 == absent.status, f"an asset that is not there gave {absent}: {advice}"
    for _ in range(2):
        response = deployed.ranged(deployed.asset)
        assert 206 == response.status, f"{deployed.asset} gave {response}: {advice}; if it is a 404, run SyncCommand"
        if not response.headers.get("x-cache", "").startswith("Hit"):
            return
        time.sleep(61)
    pytest.skip(f"machines keep {deployed.asset} in CloudFront's cache: run this again")


def test_errors(deployed: Deployed) -> None:
    """CloudFront keeps no error: S3 names each request in its error page."""
    _only_cloudfront(deployed)
    path = f"/assets/{uuid.uuid4().hex}"
    pages = {deployed.get(path).body for _ in range(2)}
    assert len(pages) == 2, f"{path} was asked for twice, and S3 once: compare CustomErrorResponses with template.yaml"


def test_https_only(deployed: Deployed) -> None:
    """Configurations by http are refused, unless PlainConfigurations allows them."""
    _only_cloudfront(deployed)
    for path in CONFIGURATIONS:
        # HEAD delivers nothing.
        plain, secure = deployed.get(path, "HEAD"), fetch(deployed.base + path, "HEAD")
        assert "no-store" == secure.headers.get("cache-control"), (
            f"HEAD {path} by https gave {secure.status}, which the function did not: see the distribution's behaviours"
        )
        refused = plain.status == 403 and "cache-control" not in plain.headers
        assert refused == (deployed.parameters["PlainConfigurations"] != "yes"), (
            f"HEAD {path} by http gave {plain.status}: compare the behaviour of {path}* with template.yaml"
        )


def test_signatures(deployed: Deployed) -> None:
    """A signature route goes to signed_api, which has read its key."""
    if not deployed.parameters["SigningKeySecret"]:
        pytest.skip("the stack signs nothing: SigningKeySecret is empty")
    response = deployed.get("/boot.ipxe.asc")
    assert (200, b"-----BEGIN PGP SIGNATURE-----") == (response.status, response.body[:29]), (
        f"/boot.ipxe.asc gave {response}: see the log of signed_api, and the door's rules for *.asc"
    )


def test_times(deployed: Deployed) -> None:
    """Times, which are printed and not judged: EDK2 gives up after five seconds, a cold start among them."""
    begun = [deployed.get("/boot.ipxe").seconds for _ in range(20)]
    print(f"/boot.ipxe: first {begun[0]:.3f} s, then {min(begun[1:]):.3f} to {max(begun[1:]):.3f} s")
    cold = sorted(_cold_starts(deployed))
    print(f"cold starts of a day: {len(cold)}" + (f", the longest {cold[-1] / 1000:.3f} s" if cold else ""))


def _cold_starts(deployed: Deployed) -> Iterator[float]:
    for line in deployed.log("BootApiLog", "{ $.record.metrics.initDurationMs > 0 }", 24 * 60):
        if milliseconds := line.get("record", {}).get("metrics", {}).get("initDurationMs"):
            yield milliseconds


def _only_cloudfront(deployed: Deployed) -> None:
    if not deployed.behind_cloudfront:
        pytest.skip("the stack has a load balancer")
