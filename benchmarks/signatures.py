"""How much CPU time does a warm signature take, against the answer that it is of?

DynamoDB's answers come from memory, as in `benchmarks.request_cpu`. Run as `make bench`.
"""

from collections.abc import Callable
from contextlib import closing

from aws_stores.catalog_writer import CatalogWriter
from aws_stores.creation import create_table
from benchmarks.boot_machines import PROFILE, ask, groups
from benchmarks.request_cpu import Replaying, cpu_seconds
from benchmarks.table_app import table_app
from tests.openpgp.keys import signing_key
from tests.rigs.moto_server import moto_server

REQUESTS = 1_000
TABLE = "signatures"
PLAIN = "/ipxe, the same app (baseline)"
KEYS = {"/ipxe.sig by Ed25519": "ed25519", "/ipxe.sig by RSA of 2048 bits": "rsa"}


def main() -> None:
    """Print the table."""
    with moto_server() as service, closing(service.client("dynamodb")) as client, closing(Replaying()) as http:
        create_table(client, TABLE)
        writer = CatalogWriter(client, service.client("s3"), TABLE, TABLE)
        writer.put_profile(PROFILE)
        for group in groups(1):
            writer.put_group(group)

        def way(key: str, path: str) -> Callable[[], object]:
            app = table_app(service, TABLE, http, signatures=signing_key(key).signatures)
            return lambda: ask(app, 0, path)

        ways = {PLAIN: way("ed25519", "/ipxe"), **{name: way(key, "/ipxe.sig") for name, key in KEYS.items()}}
        medians = cpu_seconds(ways, REQUESTS)
    print(f"{'CPU time of a warm signature, no network':46} {'p50 µs':>8} {'ratio':>6}")
    for name, middle in medians.items():
        print(f"{name:46} {middle * 1e6:>8.0f} {middle / medians[PLAIN]:>6.2f}")


if __name__ == "__main__":
    main()
