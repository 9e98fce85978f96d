"""The store of secrets of the chosen mode."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lambda_matchbox.environment import endpoint_url
from matchboxctl.cli.arguments import check_data_path
from matchboxctl.cli.errors import UsageError
from matchboxctl.secrets.stores import SecretWriter
from matchboxctl.store.mode import StoreSettings
from matchboxctl.store.stack import SECRETS


@contextmanager
def opened_secrets(store: StoreSettings | Path, warn: Callable[[str], None]) -> Iterator[SecretWriter]:
    """The secrets of the store; `warn` gets a line for what costs.

    Raises UsageError, and FailedError with advice for errors of AWS in the body.
    """
    if isinstance(store, Path):
        from matchboxctl.secrets.directory_secrets import DirectorySecretWriter

        check_data_path(store)
        yield DirectorySecretWriter(store)
        return
    # Imported here: directory mode works without boto3.
    from botocore.config import Config

    from matchboxctl.secrets.parameter_store import ParameterStore
    from matchboxctl.store.advice import advising_on

    if not store.secrets:
        stack = f"stack {store.stack} has no output {SECRETS}: update it to this release"
        variables = (
            "MATCHBOX_SECRETS is not set: set it to the prefix of the secrets in Parameter Store, or use --stack"
        )
        raise UsageError(f"there is no place for secrets: {stack if store.stack else variables}")
    # Fails at once without credentials, for which later calls would wait.
    store.credentials()
    ssm = _endpoint(store, "SSM")
    where = f"secrets {store.secrets} on {ssm or f'AWS {store.region}'}"
    config = Config(ignore_configured_endpoint_urls=store.dynamodb_endpoint is None)  # type: ignore[call-arg]
    with advising_on(store, where):
        yield ParameterStore(
            store.session.client("ssm", region_name=store.region, endpoint_url=ssm, config=config),
            lambda: store.session.client(
                "secretsmanager",
                region_name=store.region,
                endpoint_url=_endpoint(store, "SECRETS_MANAGER"),
                config=config,
            ),
            store.secrets,
            store.secrets_key,
            {},
            warn,
        )


def _endpoint(store: StoreSettings, service: str) -> str | None:
    """The service's endpoint: AWS's only if the table is on AWS as well. Raises UsageError."""
    endpoint = endpoint_url(os.environ, service)
    if (endpoint is None) != (store.dynamodb_endpoint is None):
        given, lacking = ("DYNAMODB", service) if endpoint is None else (service, "DYNAMODB")
        raise UsageError(
            f"AWS_ENDPOINT_URL_{given} is set and AWS_ENDPOINT_URL_{lacking} is not: that would be AWS for one of "
            "them; set both or neither"
        )
    return endpoint
