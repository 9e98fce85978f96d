"""The Lambda function behind the load balancer or CloudFront."""

import gc
import os
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from lambda_matchbox.web.app import App
from lambda_matchbox.web.wiring import lambda_app


@cache
def _app() -> App:
    return lambda_app(os.environ)


# Here, not at the first request: see lambda_app(). What is wrong is said at each request.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    with suppress(Exception):
        _app()
    # What is in use by now stays: the collector need not look at it again, such as while a first template imports more.
    gc.freeze()


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 (Lambda's signature)
    """Respond to one event of the load balancer or the function URL."""
    return _app().handle(event)
