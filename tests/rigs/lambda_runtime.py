"""Built functions under AWS's runtime client.

AWS's own runtime client (`awslambdaric`) loads the handler and asks for one event after the other, on Python 3.13 and
with boto3 instead of the runtime's. What it asks is here: Lambda's runtime API, of which a function has one for
each of its environments. An environment answers one event at a time; another is started while all are busy.
"""

import hashlib
import json
import os
import queue
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from tests.rigs.cache import cached
from tests.rigs.install import install_locked
from tests.rigs.program import Program, running, scratch_directory
from tests.rigs.python313 import python313

REQUIREMENTS = Path(__file__).with_name("lambda-runtime-requirements.txt")

_API = "/2018-06-01/runtime"


class FunctionFailedError(Exception):
    """What the runtime client reported instead of a response: `errorType: errorMessage`."""


class Artefacts(NamedTuple):
    """What was built, and how the template wants it run. `layers` are their directories; `timeout` is in seconds."""

    name: str
    task_root: Path
    layers: tuple[Path, ...]
    handler: str
    timeout: int
    environment: Mapping[str, str]


class _Invocation(NamedTuple):
    request_id: str
    event: bytes


class _Report(NamedTuple):
    """`kind` is the last part of the address that the runtime client used: `response` or `error`."""

    kind: str
    body: bytes


class _RuntimeApi(ThreadingHTTPServer):
    """Lambda's runtime API of one environment, on a free port of 127.0.0.1."""

    daemon_threads = True

    def __init__(self, timeout: int) -> None:
        self.seconds = timeout
        self.invocations: queue.Queue[_Invocation] = queue.Queue()
        self.reports: queue.Queue[_Report] = queue.Queue()
        super().__init__(("127.0.0.1", 0), _RuntimeApiRequest)


class _RuntimeApiRequest(BaseHTTPRequestHandler):
    server: _RuntimeApi
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        assert self.path == f"{_API}/invocation/next"
        request_id, event = self.server.invocations.get()
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(round(1000 * (time.time() + self.server.seconds))),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:123456789012:function:it:live",
            "Lambda-Runtime-Trace-Id": "Root=1-6870a108-3f2b7c9d5e8a41067f9b0008;Sampled=0",
        }
        self._respond(200, headers, event)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.reports.put(_Report(self.path.rpartition("/")[2], body))
        self._respond(202, {}, b"")

    def _respond(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Say nothing."""


class LambdaFunction:
    """A function that answers events; made by `lambda_function`."""

    def __init__(self, artefacts: Artefacts, directory: Path, kept: ExitStack) -> None:
        self._artefacts = artefacts
        self._directory = directory
        self._kept = kept
        self._starting = threading.Lock()
        self._idle: queue.SimpleQueue[tuple[_RuntimeApi, Program]] = queue.SimpleQueue()
        self.environments = 0

    def invoke(self, event: Any) -> Any:
        """The handler's response to an event, both as JSON has them.

        Raises FunctionFailedError for a handler that is not loaded or raises, RigFailedError for a process that ends.
        """
        try:
            api, program = self._idle.get_nowait()
        except queue.Empty:
            api, program = self._start()
        api.invocations.put(_Invocation(str(uuid.uuid4()), json.dumps(event).encode()))
        report = program.wait_for(lambda: _taken(api.reports), f"a response of {self._artefacts.name}")
        self._idle.put((api, program))
        response = json.loads(report.body)
        if report.kind == "error":
            raise FunctionFailedError(f"{response['errorType']}: {response['errorMessage']}")
        return response

    def log(self) -> list[str]:
        """The lines that all environments have written to standard output and standard error."""
        files = self._directory.glob("*/log")
        return [line for file in files for line in file.read_text(errors="replace").splitlines()]

    def _start(self) -> tuple[_RuntimeApi, Program]:
        name, task_root, layers, handler, timeout, environment = self._artefacts
        installed = runtime_packages()
        api = _RuntimeApi(timeout)
        path = [task_root, *(layer / "python" for layer in layers), installed]
        reserved = {
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/matchbox/{name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[1]0",
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}",
            "LAMBDA_TASK_ROOT": str(task_root),
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            # The task's directory is read only there.
            "PYTHONDONTWRITEBYTECODE": "1",
            "TZ": ":UTC",
        }
        with self._starting:
            directory = self._directory / str(self.environments)
            directory.mkdir()
            self.environments += 1
            threading.Thread(target=api.serve_forever, daemon=True).start()
            self._kept.callback(api.server_close)
            self._kept.callback(api.shutdown)
            command: list[str | Path] = [python313(), "-m", "awslambdaric", handler]
            program = self._kept.enter_context(running(command, directory, {**environment, **reserved}))
        return api, program


@contextmanager
def lambda_function(artefacts: Artefacts) -> Iterator[LambdaFunction]:
    """A function without environments: the first event starts one. All are ended on leaving."""
    with scratch_directory() as directory, ExitStack() as kept:
        yield LambdaFunction(artefacts, directory, kept)


def _taken(reports: queue.Queue[_Report]) -> _Report | None:
    try:
        return reports.get(timeout=0.5)
    except queue.Empty:
        return None


def runtime_packages() -> Path:
    """Where the runtime client and boto3 are, compiled for Python 3.13."""
    pinned = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:8]
    return cached(f"lambda-runtime-{pinned}", _install)


def _install(directory: Path) -> None:
    install_locked(python313(), REQUIREMENTS, "--compile-bytecode", "--target", directory)
