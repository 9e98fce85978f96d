"""The schedule's usual run of asset_sync, which finds nothing new, compared with one HEAD of the manifest.

Both are made in turn by one warm process with the same registry client, whose connections and token are kept: from
docker-registry with tokens, DynamoDB Local and versitygw. Run by `make bench`.
"""

import io
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import urllib3

from benchmarks.timing import print_table
from lambda_matchbox.aws.token_keys import replace_old_key
from lambda_matchbox.image_sync.job import SyncJob
from lambda_matchbox.image_sync.metrics import SERVICE
from lambda_matchbox.image_sync.table_stores import table_stores
from lambda_matchbox.oci.distribution.authentication import Authorizations
from lambda_matchbox.oci.distribution.docker_config import no_logins
from lambda_matchbox.oci.distribution.manifests import ACCEPT
from lambda_matchbox.oci.distribution.registry import DEFAULT_RETRY_POLICY, Registry
from lambda_matchbox.oci.distribution.registry_http import RegistryHttp
from lambda_matchbox.oci.distribution.repository import Repository
from lambda_matchbox.oci.image_reference import parse_image_reference
from lambda_matchbox.web.function_log import FunctionLog
from tests.real.source_commands import SourceCommands
from tests.rigs.dynamodb_local import dynamodb_local
from tests.rigs.oci_registry import oci_registry
from tests.rigs.stores import new_stores
from tests.rigs.versitygw import versitygw
from tests.support.images.layers import Entry, gzipped
from tests.support.images.manifests import image

ROUNDS = 300
UNCOUNTED = 30
BASELINE = "one HEAD of the manifest (the baseline)"


def main() -> None:
    """Print the table."""
    with ExitStack() as stack:
        registry = stack.enter_context(oci_registry())
        files = [Entry(f"talos/arm64/{name}", b"x" * 100_000) for name in ("vmlinuz", "initramfs.xz")]
        reference = registry.push(image([gzipped(each) for each in files]), "public/talos", "stable")
        stores = new_stores(stack.enter_context(dynamodb_local()), stack.enter_context(versitygw()))
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        SourceCommands(root, stores).add("talos", reference)
        clock = Clock()
        clients = stores.light_clients()
        job = SyncJob(
            table_stores("benchmark", clients, "", root / "scratch", copies_required=False),
            stack.enter_context(closing(Registry(no_logins))),
            FunctionLog("info", SERVICE, io.StringIO()),
            at_start=lambda: replace_old_key(clients, int(time.time())),
            clock=clock,
        )

        def run() -> None:
            clock.days += 1
            report = job.run(None)
            if report.unchanged != ["talos"]:
                raise SystemExit(f"it found something new: {report}")

        job.run(None)
        ways = {BASELINE: _head(reference), "a run that finds nothing new": run}
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(UNCOUNTED + ROUNDS):
            for name, way in ways.items():
                begun = time.perf_counter()
                way()
                taken[name].append(time.perf_counter() - begun)
    medians = {name: statistics.median(times[UNCOUNTED:]) for name, times in taken.items()}
    print_table("nothing new to sync, in a warm process", "µs", medians, BASELINE)


class Clock:
    """In which an interval passes between two runs."""

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
    pool = urllib3.connection_from_url(f"http://{reference.registry}")

    def head() -> None:
        response = pool.urlopen("HEAD", f"/v2/{reference.repository}/{name}", headers=headers, retries=False)
        if "Docker-Content-Digest" not in response.headers:
            raise SystemExit(f"HEAD of the manifest is answered {response.status}")

    return head


if __name__ == "__main__":
    main()
