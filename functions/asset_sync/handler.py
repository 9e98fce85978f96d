"""The Lambda function, run on a schedule, or on request with the event `{"source": "ID"}`."""

import os
import tempfile
import time
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from asset_sync.settings import Settings
from lambda_matchbox.aws.clients.light_clients import CALL_SECONDS, light_clients, retrying_http
from lambda_matchbox.aws.clients.request_deadline import deadline_within
from lambda_matchbox.aws.clients.sigv4 import lambda_credentials
from lambda_matchbox.aws.token_keys import replace_old_key
from lambda_matchbox.image_sync.job import SyncFailedError, SyncJob
from lambda_matchbox.image_sync.metrics import SERVICE, SyncMetrics
from lambda_matchbox.image_sync.table_stores import table_stores
from lambda_matchbox.oci.distribution.docker_config import Login, logins_from_secret, no_logins
from lambda_matchbox.oci.distribution.registry import Registry
from lambda_matchbox.web.function_log import FunctionLog

# On the function's own disk, where an aborted invocation may have left files.
_SCRATCH = Path(tempfile.gettempdir(), "asset_sync")


def job_of(environment: Mapping[str, str], scratch: Path = _SCRATCH) -> SyncJob:
    """The job configured by the environment, with temporary files in `scratch`. Raises MissingSettingError.

    A run on schedule replaces an old key of tokens as well.
    """
    settings = Settings.from_environment(environment)
    credentials = partial(lambda_credentials, environment)
    clients = light_clients(
        settings.table,
        settings.bucket,
        settings.region,
        credentials,
        dynamodb_endpoint=settings.dynamodb_endpoint,
        s3_endpoint=settings.s3_endpoint,
    )

    def login(registry: str) -> Login | None:
        # Read on demand: public images need no secret.
        if not settings.registry_secret:
            return no_logins(registry)
        from lambda_matchbox.aws.clients.secrets_manager import SecretsManager

        secrets = SecretsManager(settings.secrets_endpoint, settings.region, credentials, retrying_http())
        text = secrets.text(settings.registry_secret, deadline_within(CALL_SECONDS))
        return logins_from_secret(text)(registry)

    look_at_key_from = 0

    def replace_key() -> None:
        nonlocal look_at_key_from
        if (now := int(time.time())) >= look_at_key_from:
            look_at_key_from = replace_old_key(clients, now)

    namespace = settings.metrics_namespace
    return SyncJob(
        table_stores(
            f"table {settings.table!r}", clients, settings.stand_in, scratch, copies_required=settings.release_copies
        ),
        Registry(login),
        FunctionLog(settings.log_level, SERVICE),
        publish=SyncMetrics(namespace).publish if namespace else lambda _: None,
        at_start=replace_key,
    )


@cache
def _job() -> SyncJob:
    return job_of(os.environ)


def handler(event: Mapping[str, Any], context: object) -> dict[str, list[str]]:  # noqa: ARG001 (Lambda's signature)
    """Sync the sources that are due, or the one the event names; returns the ids of sources by outcome.

    Raises SyncFailedError, so that the invocation counts as failed, is retried and alarms.
    """
    return _job().run(requested_source(event))._asdict()


def requested_source(event: object) -> str | None:
    """The id of the source that the event names; None for all that are due. Raises SyncFailedError.

    A schedule without an input sends an EventBridge event, whose `source` is the name of the service.
    """
    if not isinstance(event, dict):
        raise SyncFailedError(f'the event is not an object such as {{"source": "talos-arm64"}}: {event!r}')
    source = None if "detail-type" in event else event.get("source")
    if source is not None and not isinstance(source, str):
        raise SyncFailedError(f"the event's source is not an id: {source!r}")
    return source
