"""The function's app with long time limits: the machine that runs a test may be busy."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.web import wiring

_SECONDS = 60.0


@contextmanager
def long_timeout() -> Iterator[None]:
    """Apps made in the body wait a minute for table and bucket before a retry or a 503."""
    client = partial(HttpClient, connect_timeout=_SECONDS, read_timeout=_SECONDS)
    with patch.multiple(wiring, HttpClient=client, _CALL_SECONDS=_SECONDS, _REQUEST_SECONDS=_SECONDS):
        yield
