"""The CPU time of a warm `/ipxe` of groups without a boot policy and with one, beside the release before policies.

Each release and policy has a process of its own; they take turns, and the fastest turn counts. On the table it is that
of the function's app, and DynamoDB's responses are replayed (see `benchmarks.request_cpu`); in directory mode that of
`serve` as a whole, without histories. BEFORE names another commit for the release before. Run by `make bench`.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, redirect_stdout
from pathlib import Path

from benchmarks.boot_machines import PROFILE, ask, groups, mac
from benchmarks.request_cpu import NOWHERE, TABLE, Replaying
from benchmarks.servers import load, processor_seconds, running
from benchmarks.table_app import fill, table_app
from lambda_matchbox.aws.table_and_bucket import create_bucket
from lambda_matchbox.web.app import App
from matchboxctl.main import main as matchboxctl
from tests.rigs.moto_server import moto_server
from tests.rigs.stores import Stores

HERE = Path(__file__).resolve().parents[1]
GATE = "functions/lambda_matchbox/machines/gate.py"
POLICIES = ("", '{"once": true}', '{"approve": true, "once": true, "token": true}')
REQUESTS, ROUNDS, SERVE_ROUNDS = 50, 100, 7


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
            _measure(runner, before)
            _measure_serve(before)
        finally:
            _git("worktree", "remove", "--force", str(before))


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=HERE, check=True, capture_output=True, text=True).stdout.strip()


def _ways(before: Path) -> dict[str, tuple[Path, str]]:
    """What is measured: the tree and the policy."""
    ways = {"the release before (baseline)": (before, "")}
    return ways | {f"this one, {policy or 'no policy'}": (HERE, policy) for policy in POLICIES}


def _measure(runner: Path, before: Path) -> None:
    ways = _ways(before)
    samples: dict[str, list[float]] = {name: [] for name in ways}
    with ExitStack() as stack:
        processes = {name: stack.enter_context(_process(runner, *way)) for name, way in ways.items()}
        for _ in range(ROUNDS):
            for name, process in processes.items():
                if process.stdin is None or process.stdout is None:
                    raise RuntimeError
                print(file=process.stdin, flush=True)
                samples[name].append(float(process.stdout.readline()))
    _print("table", samples)


def _measure_serve(before: Path) -> None:
    samples: dict[str, list[float]] = {name: [] for name in _ways(before)}
    with ExitStack() as stack:
        servers: dict[str, tuple[int, int]] = {}
        for name, (tree, policy) in _ways(before).items():
            data = _data(stack, policy)
            command = [sys.executable, "-m", "matchboxctl.main", "serve", "--data-path", data]
            # Which the release before does not have.
            histories = [] if tree is before else ["--history-days", "0"]
            servers[name] = stack.enter_context(running([*command, *histories], "--address", tree))
        for _ in range(SERVE_ROUNDS):
            for name, (pid, port) in servers.items():
                start = processor_seconds(pid)
                done = load(f"http://127.0.0.1:{port}/ipxe?mac={mac(0).replace(':', '-')}&arch=x86_64", 1)
                samples[name].append((processor_seconds(pid) - start) / done.requests)
    _print("directory", samples)


def _print(mode: str, samples: Mapping[str, list[float]]) -> None:
    least = {name: min(taken) for name, taken in samples.items()}
    base = next(iter(least.values()))
    print(f"/ipxe, {mode} mode, CPU time\n{'':72} {'min µs':>8} {'ratio':>6}")
    for name, taken in least.items():
        print(f"{name:72} {taken * 1e6:>8.1f} {taken / base:>6.3f}")


@contextmanager
def _process(runner: Path, tree: Path, policy: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that makes requests of the code in that tree whenever it is sent a line."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.boot_policies", policy],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=runner,
        env={**os.environ, "PYTHONPATH": f"{tree}:{tree}/functions"},
    ) as process:
        yield process
        if process.stdin is not None:
            process.stdin.close()


def print_times(policy: str) -> None:
    """Print the time of one request among many, for each line of standard input."""
    with ExitStack() as stack:
        app = _table_app(stack, policy)
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
        print_times(sys.argv[1])
    else:
        main()
