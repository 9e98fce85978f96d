"""The Lambda function, to which CloudWatch Logs hands the lines of boot_api and signed_api.

The operator lets it take from its dead-letter queue what it could not write.
"""

import gzip
import json
import os
from base64 import b64decode
from collections.abc import Iterator, Mapping
from functools import cache, partial
from typing import Any

from boot_history.settings import Settings
from lambda_matchbox.aws.clients.dynamodb import DynamoDB
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.sigv4 import lambda_credentials
from lambda_matchbox.aws.history import TableHistory
from lambda_matchbox.machines.events import Event, event_in
from lambda_matchbox.machines.history_stores import History

_CALL_SECONDS = 10.0
_DAY = 24 * 3600
_REQUEST = "request"


def history_of(environment: Mapping[str, str]) -> History:
    """The history configured by the environment. Raises MissingSettingError and ValueError."""
    settings = Settings.from_environment(environment)
    credentials = partial(lambda_credentials, environment)
    dynamodb = DynamoDB(settings.dynamodb_endpoint, settings.region, credentials, HttpClient())
    store = TableHistory(dynamodb, settings.table, settings.days * _DAY, call_timeout=_CALL_SECONDS)
    return History(store, has_assets=settings.has_assets)


@cache
def _history() -> History:
    return history_of(os.environ)


def handler(event: Mapping[str, Any], context: object) -> None:  # noqa: ARG001 (Lambda's signature)
    """Fold the lines of one event of the subscription or of the queue.

    What it raises makes Lambda call it again with the same event, which changes nothing that is written already.
    """
    _history().add(events_in(event))


def events_in(event: Mapping[str, Any]) -> Iterator[Event]:
    """The machines' events in an event of a subscription of CloudWatch Logs, or in messages that are such events.

    Other lines are passed by.
    """
    if "Records" in event:
        for message in event["Records"]:
            yield from events_in(json.loads(message["body"]))
        return
    content = json.loads(gzip.decompress(b64decode(event["awslogs"]["data"])))
    for each in content["logEvents"] if content["messageType"] == "DATA_MESSAGE" else ():
        try:
            line = json.loads(each["message"])
        except ValueError:
            # Lambda writes lines of its own as text.
            continue
        if isinstance(line, dict) and line.get("message") == _REQUEST:
            found = event_in(line, each["timestamp"])
            if found is not None:
                yield found
