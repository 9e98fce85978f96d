"""The function's app with a minute for what it asks in two seconds: a test's machine may be busy with other things."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

from boot_api import handler
from lambda_matchbox.aws.clients.http_client import HttpClient

_SECONDS = 60.0


@contextmanager
def unhurried() -> Iterator[None]:
    """Apps that are made in the body wait so long for table and bucket before they answer 503, or ask again."""
    client = partial(HttpClient, connect_timeout=_SECONDS, read_timeout=_SECONDS)
    with patch.multiple(handler, HttpClient=client, _ANSWER_SECONDS=_SECONDS, _REQUEST_SECONDS=_SECONDS):
        yield
