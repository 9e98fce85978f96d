"""The CPU time of a warm signature, compared with the response that it signs.

DynamoDB's responses are replayed, as in `benchmarks.request_cpu`. Run by `make bench`.
"""

from collections.abc import Callable
from contextlib import closing

from benchmarks.boot_machines import ask
from benchmarks.request_cpu import Replaying
from benchmarks.table_app import fill, table_app
from benchmarks.timing import cpu_seconds, print_table
from tests.rigs.moto_server import moto_server
from tests.support.openpgp.keys import signatures

REQUESTS = 1_000
TABLE = "signatures"
PLAIN = "/ipxe, the same app (baseline)"
KEYS = {"/ipxe.sig by Ed25519": "ed25519", "/ipxe.sig by RSA of 2048 bits": "rsa"}


def main() -> None:
    """Print the table."""
    with moto_server() as service, closing(Replaying()) as http:
        fill(service, TABLE, 1)

        def way(key: str, path: str) -> Callable[[], object]:
            app = table_app(service, TABLE, http, signatures=signatures(key))
            return lambda: ask(app, 0, path)

        ways = {PLAIN: way("ed25519", "/ipxe"), **{name: way(key, "/ipxe.sig") for name, key in KEYS.items()}}
        medians = cpu_seconds(ways, REQUESTS)
    print_table("CPU time of a warm signature, no network", "µs", medians, PLAIN)


if __name__ == "__main__":
    main()
