"""Longer timeouts of the function, since the machine of a test may be busy."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

from boot_api import handler
from lambda_matchbox.aws.clients.http_client import HttpClient

_SECONDS = 60.0


@contextmanager
def long_timeout() -> Iterator[None]:
    """Apps created in the body wait a minute for table and bucket."""
    client = partial(HttpClient, connect_timeout=_SECONDS, read_timeout=_SECONDS)
    with patch.multiple(handler, HttpClient=client, _ANSWER_SECONDS=_SECONDS, _REQUEST_SECONDS=_SECONDS):
        yield
