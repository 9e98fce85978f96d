"""The schedule's usual run of asset_sync, which finds nothing new, compared with one HEAD of the manifest.

Both are made in turn by one warm process with the same registry client, whose connections and token are kept. The
registry is docker-registry with tokens, the bucket versitygw's. The table is DynamoDB Local, or another process that
gives its responses from memory, since DynamoDB Local takes as long as the registry, which the service does not. Run by
`make bench`.
"""

import socketserver
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

from asset_sync.handler import job_of
from benchmarks.timing import print_table
from lambda_matchbox.oci.distribution.authentication import Authorizations
from lambda_matchbox.oci.distribution.docker_config import no_logins
from lambda_matchbox.oci.distribution.guarded_connections import Guard, PlainPool
from lambda_matchbox.oci.distribution.manifests import ACCEPT
from lambda_matchbox.oci.distribution.origins import NetworkZone
from lambda_matchbox.oci.distribution.registry import DEFAULT_RETRY_POLICY
from lambda_matchbox.oci.distribution.registry_http import RegistryHttp
from lambda_matchbox.oci.distribution.repository import Repository
from lambda_matchbox.oci.image_reference import parse_image_reference
from tests.real.source_commands import SourceCommands
from tests.rigs.dynamodb_local import dynamodb_local
from tests.rigs.oci_registry import oci_registry
from tests.rigs.stores import Stores, new_stores
from tests.rigs.versitygw import versitygw
from tests.support.images.layers import Entry, gzipped
from tests.support.images.manifests import image

ROUNDS = 200
UNCOUNTED = 30
BASELINE = "one HEAD of the manifest (the baseline)"


def main() -> None:
    """Print the table."""
    with ExitStack() as stack:
        registry = stack.enter_context(oci_registry())
        files = [Entry(f"talos/arm64/{name}", b"x" * 100_000) for name in ("vmlinuz", "initramfs.xz")]
        reference = registry.push(image([gzipped(each) for each in files]), "public/talos", "stable")
        stores = new_stores(stack.enter_context(dynamodb_local()), stack.enter_context(versitygw()))
        commands = SourceCommands(Path(stack.enter_context(tempfile.TemporaryDirectory())), stores)
        commands.add("talos", reference)
        commands.run("sync")
        remembered = replace(stores.tables, endpoint=stack.enter_context(_remembered(stores.tables.endpoint)))
        jobs = {
            "nothing new, the table from memory": replace(stores, tables=remembered),
            "nothing new, DynamoDB Local": stores,
        }
        clock = Clock()
        runs = {name: _run(each, clock) for name, each in jobs.items()}
        ways = {BASELINE: _head(reference), **runs}
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(UNCOUNTED + ROUNDS):
            for name, way in ways.items():
                begun = time.perf_counter()
                way()
                taken[name].append(time.perf_counter() - begun)
    medians = {name: statistics.median(times[UNCOUNTED:]) for name, times in taken.items()}
    print_table("nothing new to sync, in a warm process", "µs", medians, BASELINE)


def _run(stores: Stores, clock: "Clock") -> Callable[[], object]:
    """The function's job, as its schedule runs it."""
    job = job_of(stores.environment())
    job._clock = clock  # noqa: SLF001 (an interval has to pass between two runs)

    def run() -> None:
        clock.days += 1
        report = job.run(None)
        if report.unchanged != ["talos"]:
            raise SystemExit(f"it found something new: {report}")

    return run


class Clock:
    """A clock by which an interval passes between two runs."""

    days = 0

    def __call__(self) -> float:
        """Seconds since 1970."""
        return time.time() + self.days * 86_400


def _head(image: str) -> Callable[[], object]:
    """The request, with the token that a pull gets."""
    reference = parse_image_reference(image)
    http = RegistryHttp(DEFAULT_RETRY_POLICY)
    authorizations = Authorizations(http, no_logins)
    with closing(http):
        name = f"manifests/{reference.tag}"
        Repository(http, authorizations, reference).get(name, "benchmark", {"Accept": ACCEPT}).body.discard()
    headers = {"Accept": ACCEPT, "Authorization": authorizations.cached(reference)}
    host, _, port = reference.registry.partition(":")
    guard = Guard(NetworkZone.LOCAL, lambda _: None, DEFAULT_RETRY_POLICY.read_timeout)
    pool = PlainPool(host, int(port), guard=guard)

    def head() -> None:
        response = pool.urlopen("HEAD", f"/v2/{reference.repository}/{name}", headers=headers, retries=False)
        if "Docker-Content-Digest" not in response.headers:
            raise SystemExit(f"HEAD of the manifest returned {response.status}")

    return head


@contextmanager
def _remembered(endpoint: str) -> Iterator[str]:
    """The address of a server that gives the first responses of another one again; all updates have the same."""
    responses: dict[tuple[bytes, bytes], bytes] = {}

    class Handler(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self) -> None:
            while self.rfile.readline():
                fields = dict(line.rstrip().split(b": ", 1) for line in iter(self.rfile.readline, b"\r\n"))
                body = self.rfile.read(int(fields[b"Content-Length"]))
                target = fields[b"X-Amz-Target"]
                key = target, body if target.endswith(b".GetItem") else b""
                if key not in responses:
                    headers = {name.decode(): value.decode() for name, value in fields.items()}
                    with urllib.request.urlopen(urllib.request.Request(endpoint, body, headers)) as response:
                        responses[key] = response.read()
                found = responses[key]
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(found), found))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        process = get_context("fork").Process(target=server.serve_forever, daemon=True)
        process.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            process.terminate()
            process.join()


if __name__ == "__main__":
    main()
