"""moto's DynamoDB and S3 in this process: quick to start, and forgiving.

One thread answers one request after the other, because moto's tables are not safe for threads. It accepts tampered,
expired and wrong-method presigned URLs, and lacks idempotency tokens, the 25 items of a batch write, the rules of
numbers and consumed capacity: what depends on those belongs on `dynamodb_local`, `versitygw` and `swift_s3`.
"""

import logging
import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.rigs.moto_speed import speed_up_moto
from tests.rigs.service import REGION, Service
from tests.support.server_threads import in_thread


@dataclass(frozen=True, slots=True)
class MotoService(Service):
    """moto's DynamoDB and S3."""

    def reset(self) -> None:
        """Forget all tables, buckets and objects."""
        request = urllib.request.Request(f"{self.endpoint}/moto-api/reset", method="POST")
        with urllib.request.urlopen(request, timeout=30) as response:
            response.read()


class _Quiet(WSGIRequestHandler):
    """Answers without a log line for each request."""

    timeout = 30.0
    """Seconds after which a silent client no longer keeps all others waiting."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


speed_up_moto()


@contextmanager
def moto_server() -> Iterator[MotoService]:
    """moto on a free port of 127.0.0.1, without tables and buckets."""
    # It logs each start as a warning not to use it in production.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server(
        "127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=False, request_handler=_Quiet
    )
    service = MotoService(
        endpoint=f"http://127.0.0.1:{server.server_port}",
        region=REGION,
        access_key="AKIAFAKE",
        secret_key="fake",
        session_token=None,
        pid=os.getpid(),
    )
    with in_thread(server):
        # moto is one per process: what an earlier server of this process was given is still there.
        service.reset()
        yield service
