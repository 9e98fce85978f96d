"""Store mode: table and bucket are the truth, on AWS or on the endpoints that the environment names.

MATCHBOX_TABLE and MATCHBOX_BUCKET together select the mode, or a stack, whose outputs name both. One of them alone, a
data directory as well, or both ways at once is an error, so that no command uses AWS by accident. A history table is
optional.
"""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from lambda_matchbox.aws.clients.sigv4 import Credentials, lambda_credentials
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.parallel import THREADS
from lambda_matchbox.environment import endpoint_url
from lambda_matchbox.errors import StoreUnavailableError
from matchboxctl.cli.arguments import DATA_PATH
from matchboxctl.cli.errors import UsageError

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.config import Config
    from botocore.session import Session as CoreSession
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client

    from lambda_matchbox.aws.clients.light_clients import LightClients
    from lambda_matchbox.web.settings import Settings


_KEYS = ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_PROFILES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CREDENTIAL_EXPIRATION")
_NAMES = ("MATCHBOX_TABLE", "MATCHBOX_BUCKET", "MATCHBOX_HISTORY_TABLE", "MATCHBOX_SECRETS")

DAYS = 30
"""The days for which histories are kept by default."""


class StoreSettings(NamedTuple):
    """Names and endpoints of tables and bucket; an endpoint is None on AWS.

    `core` has profile and credentials, None where the environment has keys.

    `stack` is what named them, or empty; `history_table` is empty where none is named. Histories are
    kept for `history_days`. `secrets` is the prefix of secrets in Parameter Store, empty where none is named, and
    `secrets_key` their KMS key if they have one of their own; `secrets_manager` are ARNs of secrets in Secrets Manager,
    separated by commas. `release_copies` says whether CloudFront serves copies of releases in the bucket; None where
    no stack says so. `plain_configurations` says whether a stack behind CloudFront gives configurations over http too.
    """

    table: str
    bucket: str
    region: str
    dynamodb_endpoint: str | None
    s3_endpoint: str | None
    core: "CoreSession | None"
    stack: str = ""
    history_table: str = ""
    history_days: int = DAYS
    secrets: str = ""
    secrets_key: str = ""
    secrets_manager: str = ""
    release_copies: bool | None = None
    plain_configurations: bool = False

    def __reduce__(self) -> tuple[Callable[..., "StoreSettings"], tuple[object, ...]]:
        """What another process makes them of, with the credentials of now."""
        return _of_process, (self.credentials(), *self._replace(core=None))

    @property
    def session(self) -> "Session":
        """What makes clients."""
        return _session(self.core, self.credentials() if self.core is None else None)

    @property
    def description(self) -> str:
        """Table, bucket and their endpoints, for an operator."""
        tables, buckets = (endpoint or f"AWS {self.region}" for endpoint in (self.dynamodb_endpoint, self.s3_endpoint))
        return f"table {self.table} on {tables}, bucket {self.bucket} on {buckets}"

    def environment(self) -> dict[str, str]:
        """The environment of a process that is to work on the same table and bucket."""
        own = {"MATCHBOX_TABLE": self.table, "MATCHBOX_BUCKET": self.bucket, "AWS_REGION": self.region}
        optional = {
            "MATCHBOX_HISTORY_TABLE": self.history_table,
            "MATCHBOX_SECRETS": self.secrets,
            "MATCHBOX_SECRETS_MANAGER": self.secrets_manager,
        }
        return {**os.environ, **own, **optional, "MATCHBOX_STACK": ""}

    def boot_settings(self) -> "Settings":
        """The function's settings for this store. Raises UsageError."""
        from lambda_matchbox.web.settings import Settings

        given = {
            "AWS_ENDPOINT_URL_DYNAMODB": self.dynamodb_endpoint or "",
            "AWS_ENDPOINT_URL_S3": self.s3_endpoint or "",
        }
        try:
            return Settings.from_environment({**self.environment(), **given})
        except ValueError as error:
            raise UsageError(str(error)) from error

    def credentials(self) -> Credentials:
        """The current credentials: boto3 renews temporary ones.

        Raises UsageError without any, StoreUnavailableError if they cannot be renewed at the moment.
        """
        if self.core is None:
            return lambda_credentials(os.environ)
        from botocore.exceptions import BotoCoreError

        try:
            found = self.core.get_credentials()
            now = None if found is None else found.get_frozen_credentials()
        except BotoCoreError as error:
            raise StoreUnavailableError(f"cannot renew AWS credentials: {error}") from error
        if now is None:
            raise UsageError("no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        return Credentials(now.access_key or "", now.secret_key or "", now.token)

    def dynamodb(self, attempts: "Config | None" = None) -> "DynamoDBClient":
        """A client for the table; `attempts` replaces boto3's timeouts and retries."""
        config = _config(self, attempts)
        return self.session.client(
            "dynamodb", region_name=self.region, endpoint_url=self.dynamodb_endpoint, config=config
        )

    def s3(self, attempts: "Config | None" = None) -> "S3Client":
        """A client for the bucket."""
        config = _config(self, attempts)
        return self.session.client("s3", region_name=self.region, endpoint_url=self.s3_endpoint, config=config)

    def light_clients(self) -> "LightClients":
        """Clients for table and bucket that need no boto3."""
        from lambda_matchbox.aws.clients.light_clients import light_clients

        return light_clients(
            self.table,
            self.bucket,
            self.region,
            self.credentials,
            dynamodb_endpoint=self.dynamodb_endpoint,
            s3_endpoint=self.s3_endpoint,
        )

    def clients(self, attempts: "Config | None" = None) -> StoreClients:
        """Clients for table and bucket."""
        return StoreClients(self.dynamodb(attempts), self.s3(attempts), self.table, self.bucket)


def _of_process(credentials: Credentials, *fields: Any) -> StoreSettings:
    from botocore.session import Session as CoreSession

    core = CoreSession()
    core.set_credentials(*credentials)
    return StoreSettings(*fields)._replace(core=core)


@cache
def _session(core: "CoreSession | None", keys: Credentials | None) -> "Session":
    # What only has clients of our own does without: it takes longer to import than they take to read.
    from boto3.session import Session

    key, secret, token = keys or (None, None, None)
    return Session(key, secret, token, botocore_session=core)


def _config(settings: StoreSettings, attempts: "Config | None") -> "Config":
    from botocore.config import Config

    # As the function, which takes endpoints from its environment only, not from an AWS profile.
    at_aws = settings.s3_endpoint is None
    config = Config(
        ignore_configured_endpoint_urls=at_aws,  # type: ignore[call-arg]
        max_pool_connections=2 * THREADS,
        s3={"addressing_style": "auto" if at_aws else "path"},
    )
    return config if attempts is None else config.merge(attempts)


def chosen_store(data_path: str, stack: str = "") -> StoreSettings | Path:
    """The settings of store mode, or the data directory.

    `data_path` and `stack` are those of flag or environment, or empty. Credentials and region may come from an AWS
    profile. Raises UsageError for incomplete settings, or for both modes at once, and FailedError if the stack cannot
    be read.
    """
    named = {name: os.environ.get(name, "") for name in _NAMES}
    table, bucket, history_table, secrets = named.values()
    if not any(named.values()) and not stack:
        return Path(data_path or DATA_PATH)
    if stack and any(named.values()):
        raise UsageError(
            f"--stack (MATCHBOX_STACK) {stack!r} names tables, bucket and secrets, and so do "
            f"{', '.join(_NAMES[:-1])} and {_NAMES[-1]}: unset one of them"
        )
    if not stack and not (table and bucket):
        given = next(name for name, value in named.items() if value)
        lacking = "MATCHBOX_BUCKET" if table else "MATCHBOX_TABLE"
        raise UsageError(f"{given} is set and {lacking} is not: set both for store mode, neither for a directory")
    if data_path:
        raise UsageError(
            f"{'--stack (MATCHBOX_STACK) selects' if stack else 'MATCHBOX_TABLE and MATCHBOX_BUCKET select'} store "
            f"mode, and --data-path (MATCHBOX_DATA_PATH) directory mode with {data_path!r}: unset one of them"
        )
    endpoints = {service: _endpoint(service) for service in ("DYNAMODB", "S3", *(["CLOUDFORMATION"] if stack else []))}
    if None in endpoints.values() and any(endpoints.values()):
        given, lacking = (
            next(f"AWS_ENDPOINT_URL_{service}" for service, url in endpoints.items() if bool(url) is is_set)
            for is_set in (True, False)
        )
        raise UsageError(f"{given} is set and {lacking} is not: that would be AWS for one of them; set both or neither")
    region, core = _region_and_core()
    settings = StoreSettings(
        table,
        bucket,
        region,
        endpoints["DYNAMODB"],
        endpoints["S3"],
        core,
        stack,
        history_table,
        secrets=secrets,
        secrets_manager=os.environ.get("MATCHBOX_SECRETS_MANAGER", ""),
    )
    if stack:
        from matchboxctl.store.stack import of_stack

        settings = of_stack(settings, endpoints["CLOUDFORMATION"])
    return settings._replace(secrets_key=os.environ.get("MATCHBOX_KMS_KEY") or settings.secrets_key)


def _region_and_core() -> "tuple[str, CoreSession | None]":
    """The region, and what finds the credentials unless the environment has keys and no profile. Raises UsageError."""
    given = os.environ.get
    if all(map(given, _KEYS)) and not any(map(given, _PROFILES)):
        return os.environ["AWS_REGION"], None
    # Imported where it is needed: it takes as long as half of what a sync imports.
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session as CoreSession

    core = CoreSession()
    try:
        # Also where the environment has the region: the profile must exist.
        core.get_scoped_config()
        region = given("AWS_REGION") or core.get_config_variable("region")
    except BotoCoreError as error:
        raise UsageError(f"AWS_PROFILE: {error}") from error
    if not region:
        raise UsageError("no region: set AWS_REGION, or AWS_PROFILE to a profile that has one")
    return region, core


def _endpoint(service: str) -> str | None:
    """The service's endpoint in the environment. Raises UsageError for an invalid one."""
    endpoint = endpoint_url(os.environ, service)
    if endpoint is None:
        return None
    try:
        address = urlsplit(endpoint)
        usable = address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        usable = False
    if not usable:
        own = f"AWS_ENDPOINT_URL_{service}"
        name = own if os.environ.get(own) else "AWS_ENDPOINT_URL"
        raise UsageError(f"invalid {name} {endpoint!r}: use http://HOST:PORT or https://HOST:PORT")
    return endpoint
