"""The CPU time of a warm `/ipxe` outside the AWS calls.

DynamoDB's responses are recorded and replayed without a network, which leaves the function's own work: reading the
event, selecting, signing, JSON, rendering. The baseline is boto3's client making the same two calls, also replayed. Run
by `make bench`.
"""

import os
from collections.abc import Callable
from contextlib import closing, redirect_stdout
from pathlib import Path
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session

from benchmarks.boot_machines import PROFILE, ask, event, groups
from benchmarks.table_app import fill, table_app
from benchmarks.timing import cpu_seconds, print_table
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.http_connection import HttpResponse
from lambda_matchbox.aws.keys import GROUP, KEY, SHAPES, entry_key
from lambda_matchbox.aws.keys import PROFILE as PROFILE_PREFIX
from lambda_matchbox.catalog.selection import selectors_of
from tests.rigs.moto_server import moto_server
from tests.rigs.service import Service

REQUESTS = 3_000
TABLE = "bench"
NAMESPACE = "matchbox/bench"
NOWHERE = Path(os.devnull).open("w")  # noqa: SIM115 (for as long as the process lives)


class Replaying(HttpClient):
    """Makes each request once, and replays its response afterwards."""

    def __init__(self) -> None:
        super().__init__()
        self._responses: dict[tuple[str, bytes | None], HttpResponse] = {}

    def request(self, method: str, url: str, headers: Any, body: Any, *rest: Any) -> HttpResponse:
        """The recorded response."""
        key = (url, body)
        if key not in self._responses:
            self._responses[key] = super().request(method, url, headers, body, *rest)
        return self._responses[key]


def main() -> None:
    """Print the table."""
    with moto_server() as service, closing(Replaying()) as http:
        fill(service, TABLE, 1)
        app, counting = table_app(service, TABLE, http), table_app(service, TABLE, http, NAMESPACE)
        # Once with a look at the status.
        ask(app, 0)
        _unseen(lambda: ask(counting, 0))
        request = event(0)
        ways: dict[str, Callable[[], object]] = {
            "boto3: the two BatchGetItem calls (baseline)": _boto3_calls(service),
            "the whole /ipxe through the app": lambda: app.handle(request),
            "... with its line of metrics": lambda: _unseen(lambda: counting.handle(request)),
        }
        medians = cpu_seconds(ways, REQUESTS)
    print_table("CPU time of a warm request, no network", "µs", medians, next(iter(ways)))


def _unseen(way: Callable[[], object]) -> None:
    """Run `way` without its output."""
    with redirect_stdout(NOWHERE):
        way()


def _boto3_calls(service: Service) -> Callable[[], object]:
    """The calls of one `/ipxe`, made by boto3, whose responses are recorded likewise."""
    client = service.client("dynamodb")
    network = URLLib3Session()
    responses: dict[bytes, AWSResponse] = {}

    def response(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        if request.body not in responses:
            responses[request.body] = network.send(request)
        return responses[request.body]

    client.meta.events.register("before-send.dynamodb", response)
    group = next(groups(1))
    keys = [[SHAPES, entry_key(selectors_of(group.selector)[0])], [GROUP + group.id, PROFILE_PREFIX + PROFILE.id]]
    keys = [{TABLE: {"Keys": [{KEY: {"S": key}} for key in batch], "ConsistentRead": True}} for batch in keys]
    return lambda: [client.batch_get_item(RequestItems=key) for key in keys]


if __name__ == "__main__":
    main()
