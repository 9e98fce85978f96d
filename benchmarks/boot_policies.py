"""The CPU time of a warm `/ipxe` of groups without a boot policy and with one, beside the release before policies.

Each release and policy has a process of its own; they take turns, and the fastest turn counts. DynamoDB's responses are
replayed (see `benchmarks.request_cpu`). BEFORE names another commit for the release before. Run by `make bench`.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, redirect_stdout
from pathlib import Path

from aws_lambda_powertools import Logger

from benchmarks.boot_machines import PROFILE, ask, groups, mac
from benchmarks.request_cpu import NOWHERE, TABLE, Replaying
from benchmarks.table_app import fill, table_app
from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.aws.table_and_bucket import create_bucket
from lambda_matchbox.web.alb import BODY_LIMIT
from lambda_matchbox.web.app import App
from lambda_matchbox.web.routes import Routes
from matchboxctl.main import main as matchboxctl
from matchboxctl.serve.directory_stores import directory_stores
from tests.rigs.moto_server import moto_server
from tests.rigs.stores import Stores

HERE = Path(__file__).resolve().parents[1]
GATE = "functions/lambda_matchbox/machines/gate.py"
POLICIES = ("", '{"once": true}', '{"approve": true, "once": true, "token": true}')
REQUESTS, ROUNDS = 50, 100


def main() -> None:
    """Print a table for each mode."""
    with tempfile.TemporaryDirectory() as scratch:
        # These benchmarks, on the packages of either release.
        runner, before = Path(scratch, "runner"), Path(scratch, "before")
        runner.mkdir()
        (runner / "benchmarks").symlink_to(HERE / "benchmarks")
        commit = os.environ.get("BEFORE") or _git("log", "--diff-filter=A", "--format=%H^", "--", GATE)
        _git("worktree", "add", "--quiet", "--detach", str(before), commit)
        try:
            for mode in ("table", "directory"):
                _measure(runner, mode, before)
        finally:
            _git("worktree", "remove", "--force", str(before))


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=HERE, check=True, capture_output=True, text=True).stdout.strip()


def _measure(runner: Path, mode: str, before: Path) -> None:
    ways = {"the release before (baseline)": (before, "")}
    ways |= {f"this one, {policy or 'no policy'}": (HERE, policy) for policy in POLICIES}
    samples: dict[str, list[float]] = {name: [] for name in ways}
    with ExitStack() as stack:
        processes = {name: stack.enter_context(_process(runner, mode, *way)) for name, way in ways.items()}
        for _ in range(ROUNDS):
            for name, process in processes.items():
                if process.stdin is None or process.stdout is None:
                    raise RuntimeError
                print(file=process.stdin, flush=True)
                samples[name].append(float(process.stdout.readline()))
    least = {name: min(taken) for name, taken in samples.items()}
    base = next(iter(least.values()))
    print(f"/ipxe, {mode} mode, CPU time\n{'':72} {'min µs':>8} {'ratio':>6}")
    for name, taken in least.items():
        print(f"{name:72} {taken * 1e6:>8.1f} {taken / base:>6.3f}")


@contextmanager
def _process(runner: Path, mode: str, tree: Path, policy: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that makes requests of the code in that tree whenever it is sent a line."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.boot_policies", mode, policy],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=runner,
        env={**os.environ, "PYTHONPATH": f"{tree}:{tree}/functions"},
    ) as process:
        yield process
        if process.stdin is not None:
            process.stdin.close()


def answer(mode: str, policy: str) -> None:
    """Print the time of one request among many, for each line of standard input."""
    with ExitStack() as stack:
        app = _table_app(stack, policy) if mode == "table" else _directory_app(stack, policy)
        for _ in sys.stdin:
            start = time.thread_time()
            for _ in range(REQUESTS):
                ask(app, 0)
            print((time.thread_time() - start) / REQUESTS, flush=True)


def _table_app(stack: ExitStack, policy: str) -> App:
    service, http = stack.enter_context(moto_server()), stack.enter_context(closing(Replaying()))
    fill(service, TABLE, 1)
    with closing(service.client("s3")) as s3:
        create_bucket(s3, TABLE, service.region)
    _set_policy(policy, Stores(TABLE, service, service).environment())
    return table_app(service, TABLE, http)


def _directory_app(stack: ExitStack, policy: str) -> App:
    directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    for kind, document in (("profiles", PROFILE.document()), ("groups", next(groups(1))._asdict())):
        (directory / kind).mkdir()
        fields = {key: value for key, value in document.items() if value is not None}
        (directory / kind / f"{document['id']}.json").write_text(json.dumps(fields))
    _set_policy(policy, {"MATCHBOX_DATA_PATH": str(directory)})
    stores = directory_stores(directory, directory / "assets", print).stores
    return App(Routes(stores, Delivery(BODY_LIMIT, "boundary")), Logger(service="bench", level=logging.CRITICAL))


def _set_policy(policy: str, environment: Mapping[str, str]) -> None:
    """Give the group the policy, and approve its machine."""
    if not policy:
        return
    os.environ.update(environment)
    group = next(groups(1))
    with tempfile.NamedTemporaryFile("w") as file, redirect_stdout(NOWHERE):
        document = {"id": group.id, "profile": group.profile, "selector": group.selector, "boot": json.loads(policy)}
        file.write(json.dumps(document))
        file.flush()
        for command in (["group", "create", "-f", file.name], ["machine", "approve", mac(0)]):
            if matchboxctl(command):
                raise SystemExit(f"{command} failed")


if __name__ == "__main__":
    if sys.argv[1:]:
        answer(*sys.argv[1:])
    else:
        main()
