"""The CPU time of a warm `/ipxe` of groups with a boot policy, compared with a group without one.

On the table it is that of the function's app, and DynamoDB's responses are replayed (see `benchmarks.request_cpu`); in
directory mode that of `serve` as a whole, without histories. Run by `make bench`.
"""

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, closing, redirect_stdout
from functools import partial
from pathlib import Path
from unittest import mock

from benchmarks.boot_machines import PROFILE, ask, groups, mac
from benchmarks.request_cpu import NOWHERE, Replaying
from benchmarks.servers import load, processor_seconds, running
from benchmarks.table_app import fill, table_app
from benchmarks.timing import cpu_seconds, print_table
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.table_and_bucket import create_bucket
from lambda_matchbox.web.app import App
from matchboxctl.main import main as matchboxctl
from tests.rigs.moto_server import moto_server
from tests.rigs.service import Service
from tests.rigs.stores import Stores

BASELINE = "no policy (the baseline)"
POLICIES = {
    BASELINE: "",
    "once": '{"once": true}',
    "approve, once, token": '{"approve": true, "once": true, "token": true}',
}
REQUESTS, SERVE_ROUNDS = 3_000, 7


def main() -> None:
    """Print a table for each mode."""
    with ExitStack() as stack:
        service, http = stack.enter_context(moto_server()), stack.enter_context(closing(Replaying()))
        apps = {
            name: _table_app(service, http, f"bench-{number}", policy)
            for number, (name, policy) in enumerate(POLICIES.items())
        }
        ways = {name: partial(ask, app, 0) for name, app in apps.items()}
        print_table("/ipxe, table, CPU time", "µs", cpu_seconds(ways, REQUESTS), BASELINE)
    with ExitStack() as stack:
        print_table("/ipxe, directory mode, CPU time", "µs", _served(stack), BASELINE)


def _served(stack: ExitStack) -> dict[str, float]:
    """Medians of the processor's seconds that `serve` takes for a request."""
    command = [sys.executable, "-m", "matchboxctl.main", "serve", "--history-days", "0", "--data-path"]
    servers = {
        name: stack.enter_context(running([*command, _data(stack, policy)], "--address"))
        for name, policy in POLICIES.items()
    }
    samples: dict[str, list[float]] = {name: [] for name in POLICIES}
    for _ in range(SERVE_ROUNDS):
        for name, (pid, port) in servers.items():
            start = processor_seconds(pid)
            done = load(f"http://127.0.0.1:{port}/ipxe?mac={mac(0).replace(':', '-')}&arch=x86_64", 1)
            samples[name].append((processor_seconds(pid) - start) / done.requests)
    return {name: statistics.median(taken) for name, taken in samples.items()}


def _table_app(service: Service, http: HttpClient, table: str, policy: str) -> App:
    fill(service, table, 1)
    with closing(service.client("s3")) as s3:
        create_bucket(s3, table, service.region)
    _set_policy(policy, Stores(table, service, service).environment())
    return table_app(service, table, http)


def _data(stack: ExitStack, policy: str) -> Path:
    """A data directory with a group that has the policy."""
    directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    for kind, document in (("profiles", PROFILE.document()), ("groups", next(groups(1))._asdict())):
        (directory / kind).mkdir()
        fields = {key: value for key, value in document.items() if value is not None}
        (directory / kind / f"{document['id']}.json").write_text(json.dumps(fields))
    _set_policy(policy, {"MATCHBOX_DATA_PATH": str(directory)})
    return directory


def _set_policy(policy: str, environment: Mapping[str, str]) -> None:
    """Give the group the policy, and approve its machine."""
    if not policy:
        return
    group = next(groups(1))
    with (
        mock.patch.dict(os.environ, environment),
        tempfile.NamedTemporaryFile("w") as file,
        redirect_stdout(NOWHERE),
    ):
        document = {"id": group.id, "profile": group.profile, "selector": group.selector, "boot": json.loads(policy)}
        file.write(json.dumps(document))
        file.flush()
        for command in (["group", "create", "-f", file.name], ["machine", "approve", mac(0)]):
            if matchboxctl(command):
                raise SystemExit(f"{command} failed")


if __name__ == "__main__":
    main()
