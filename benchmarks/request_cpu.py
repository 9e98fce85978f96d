"""How much CPU time does a warm `/ipxe` take outside the AWS calls?

The answers of DynamoDB are recorded once and then given without a network, so that what is left is the function's own
work: reading the event, selecting, signing, JSON, rendering. The baseline is boto3's client making the same two calls,
without a network as well. Run as `make bench`.
"""

import os
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import closing, redirect_stdout
from pathlib import Path

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session

from aws_stores.catalog_writer import CatalogWriter
from aws_stores.creation import create_table
from aws_stores.http_client import Answer, HttpClient
from aws_stores.table import KEY, SHAPES, entry_key
from benchmarks.boot_machines import PROFILE, ask, groups
from benchmarks.table_app import table_app
from matchbox.selection import selector_of
from tests.rigs.moto_server import moto_server
from tests.rigs.service import Service

REQUESTS = 3_000
TABLE = "bench"
NAMESPACE = "matchbox/bench"
NOWHERE = Path(os.devnull).open("w")  # noqa: SIM115 (for as long as the process lives)


class Replaying(HttpClient):
    """Asks a service each question once, and answers it from memory afterwards."""

    def __init__(self) -> None:
        super().__init__()
        self._answers: dict[tuple[str, bytes | None], Answer] = {}

    def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: float) -> Answer:
        """The answer, of which the first came from the service."""
        question = (url, body)
        if question not in self._answers:
            self._answers[question] = super().request(method, url, headers, body, deadline)
        return self._answers[question]


def main() -> None:
    """Print the table."""
    with moto_server() as service, closing(service.client("dynamodb")) as client, closing(Replaying()) as http:
        create_table(client, TABLE)
        writer = CatalogWriter(client, service.client("s3"), TABLE, TABLE)
        writer.put_profile(PROFILE)
        for group in groups(1):
            writer.put_group(group)
        app, counting = table_app(service, TABLE, http), table_app(service, TABLE, http, NAMESPACE)
        ways: dict[str, Callable[[], object]] = {
            "boto3: the two BatchGetItem calls (baseline)": _boto3_calls(service),
            "the whole /ipxe through the app": lambda: ask(app, 0),
            "... with its line of metrics": lambda: _unseen(lambda: ask(counting, 0)),
        }
        medians = cpu_seconds(ways, REQUESTS)
    base = medians[next(iter(ways))]
    print(f"{'CPU time of a warm request, no network':46} {'p50 µs':>8} {'ratio':>6}")
    for name, middle in medians.items():
        print(f"{name:46} {middle * 1e6:>8.0f} {middle / base:>6.2f}")


def cpu_seconds(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median processor time of each of the ways, which take turns."""
    samples: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 100):
        for name, way in ways.items():
            start = time.thread_time()
            way()
            # The first find no warm caches.
            if number >= 100:
                samples[name].append(time.thread_time() - start)
    return {name: statistics.median(taken) for name, taken in samples.items()}


def _unseen(way: Callable[[], object]) -> None:
    """The way, whose lines on standard output nobody reads."""
    with redirect_stdout(NOWHERE):
        way()


def _boto3_calls(service: Service) -> Callable[[], object]:
    """The calls of one `/ipxe`, made by boto3, whose answers are recorded likewise."""
    client = service.client("dynamodb")
    network = URLLib3Session()
    answers: dict[bytes, AWSResponse] = {}

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        if request.body not in answers:
            answers[request.body] = network.send(request)
        return answers[request.body]

    client.meta.events.register("before-send.dynamodb", answer)
    group = next(groups(1))
    keys = [[SHAPES, entry_key(selector_of(group.selector))], [f"G#{group.id}", f"P#{PROFILE.id}"]]
    questions = [{TABLE: {"Keys": [{KEY: {"S": key}} for key in batch], "ConsistentRead": True}} for batch in keys]
    return lambda: [client.batch_get_item(RequestItems=question) for question in questions]


if __name__ == "__main__":
    main()
