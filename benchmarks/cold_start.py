"""The time of a cold start, compared with boto3: its imports, and a first `/ipxe` over TLS.

Each sample is a fresh interpreter of Lambda's Python version, from its start to its end; candidates alternate. Run by
`make bench`.
"""

import tempfile
from pathlib import Path

from benchmarks.boot_machines import PROFILE, groups, mac
from benchmarks.table_app import fill
from benchmarks.timing import fresh_seconds, print_table
from benchmarks.tls_table import tls_table
from lambda_matchbox.aws.keys import GROUP, KEY, SHAPES, entry_key
from lambda_matchbox.aws.keys import PROFILE as PROFILE_PREFIX
from lambda_matchbox.catalog.selection import selectors_of
from tests.rigs.moto_server import moto_server
from tests.rigs.python313 import python313_environment

SAMPLES = 25
TABLE = "matchbox"
BASELINE = "boto3 and two clients (the baseline)"
IMPORTS = {
    "interpreter alone": "pass",
    BASELINE: "import boto3; boto3.client('dynamodb'); boto3.client('s3')",
    "boot_api.handler with its app": "import boot_api.handler; boot_api.handler._app()",
    "http.client with ssl, for comparison": "import http.client, ssl",
    "asset_sync.handler with its job": "import asset_sync.handler; asset_sync.handler._job()",
}
CALLS = "boto3 makes the two calls (the baseline)"


def main() -> None:
    """Print the tables."""
    python = python313_environment()
    print_table("fresh interpreter to the end of import", "ms", fresh_seconds(python, IMPORTS, SAMPLES), BASELINE)
    print()
    with moto_server() as service, tempfile.TemporaryDirectory() as scratch:
        fill(service, TABLE, 1)
        with tls_table(service, Path(scratch)) as environment:
            medians = fresh_seconds(python, _first_responses(), SAMPLES, environment)
    print_table("fresh interpreter to the first response", "ms", medians, CALLS)


def _first_responses() -> dict[str, str]:
    """The function's, and boto3's calls for the same items, on one connection."""
    group = next(groups(1))
    keys = [[SHAPES, entry_key(selectors_of(group.selector)[0])], [GROUP + group.id, PROFILE_PREFIX + PROFILE.id]]
    calls = [{TABLE: {"Keys": [{KEY: {"S": key}} for key in batch], "ConsistentRead": True}} for batch in keys]
    event = {
        "httpMethod": "GET",
        "path": "/ipxe",
        "multiValueQueryStringParameters": {"mac": [mac(0).replace(":", "-")]},
        "multiValueHeaders": {"host": ["matchbox.test"]},
    }
    return {
        CALLS: f"import boto3\ntable = boto3.client('dynamodb')\nfor each in {calls}:\n"
        "    assert table.batch_get_item(RequestItems=each)['Responses']",
        "boot_api answers /ipxe": f"import boot_api.handler\nassert 200 == boot_api.handler.handler({event}, None)"
        "['statusCode']",
    }


if __name__ == "__main__":
    main()
