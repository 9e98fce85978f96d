"""The Lambda function on a schedule, and on demand with the event `{"source": "ID"}`."""

import os
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.config import Config

from asset_sync.settings import Settings
from lambda_matchbox.aws.clients.boto3_errors import translated
from lambda_matchbox.aws.releases.source_table import SourceTable
from lambda_matchbox.aws.releases.store import TableReleaseStore
from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.image_sync.job import SyncFailedError, SyncJob
from lambda_matchbox.image_sync.metrics import SERVICE, SyncMetrics
from lambda_matchbox.image_sync.sources import ImageSources, image_sources
from lambda_matchbox.oci.distribution.docker_config import Login, logins_from_secret, no_logins
from lambda_matchbox.oci.distribution.registry import Registry

# Path-style addresses where the endpoint is not AWS's, as in every other part.
_ENDPOINT = "AWS_ENDPOINT_URL_S3"
# The function's own disk, of which an invocation that was ended may have left some full.
_SCRATCH = Path(tempfile.gettempdir(), "asset_sync")


def job_of(environment: Mapping[str, str], scratch: Path = _SCRATCH) -> SyncJob:
    """The job as a function's environment describes it, with files under way in `scratch`.

    Raises MissingSettingError.
    """
    settings = Settings.from_environment(environment)
    session = boto3.Session(region_name=settings.region)
    dynamodb = session.client("dynamodb")
    s3 = session.client("s3", config=Config(s3={"addressing_style": "path" if environment.get(_ENDPOINT) else "auto"}))
    table = SourceTable(dynamodb, settings.table)

    def login(registry: str) -> Login | None:
        # Asked for where a registry wants one, so that public images need no secret.
        if not settings.registry_secret:
            return no_logins(registry)
        with translated():
            secret = session.client("secretsmanager").get_secret_value(SecretId=settings.registry_secret)
        return logins_from_secret(secret.get("SecretString", ""))(registry)

    def sources() -> ImageSources:
        try:
            documents = table.documents()
        except MatchboxError as error:
            # The first run of a new stack's schedule may come before the table is there.
            raise SyncFailedError(
                f"the sources cannot be read from the table {settings.table!r}, the next run tries again: {error}"
            ) from error
        return image_sources({source_id: text.encode() for source_id, text in documents.items()}, settings.stand_in)

    return SyncJob(
        sources,
        lambda source_id: TableReleaseStore(dynamodb, s3, settings.table, settings.bucket, source_id),
        table.pointers,
        Registry(login),
        Logger(service=SERVICE, level=settings.log_level),
        scratch=scratch,
        publish=SyncMetrics(settings.metrics_namespace).publish if settings.metrics_namespace else None,
    )


@cache
def _job() -> SyncJob:
    return job_of(os.environ)


def handler(event: Mapping[str, Any], context: object) -> dict[str, list[str]]:  # noqa: ARG001 (Lambda's signature)
    """Sync what is due, or what the event names; returns the ids of sources by what became of them.

    Raises SyncFailedError, so that the invocation counts as failed, is tried again and alarms.
    """
    return _job().run(asked_for(event))._asdict()


def asked_for(event: object) -> str | None:
    """The id of the source that the event names; None where all that is due is meant. Raises SyncFailedError.

    A schedule without an input of its own sends an event of EventBridge, whose `source` is the service that it is
    from.
    """
    if not isinstance(event, dict):
        raise SyncFailedError(f'the event is no object, such as {{"source": "talos-arm64"}}: {event!r}')
    source = None if "detail-type" in event else event.get("source")
    if source is not None and not isinstance(source, str):
        raise SyncFailedError(f"the event names no source by its id: {source!r}")
    return source
