"""The log of a function in a process of its own."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def fresh_log(service: str) -> Iterator[logging.Logger]:
    """The service's logger, which the next function that is made configures.

    Powertools keeps the level and the stream that the first function of a process sets, and tests make many.
    """
    logger = logging.getLogger(service)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("init", "powertools_handler"):
            patch.setattr(logger, name, None, raising=False)
        for name, value in (("handlers", []), ("level", logging.NOTSET), ("_cache", {})):
            patch.setattr(logger, name, value)
        yield logger
