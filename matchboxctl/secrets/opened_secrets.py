"""The store of secrets of the chosen mode."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from matchboxctl.cli.arguments import check_data_path
from matchboxctl.cli.errors import UsageError
from matchboxctl.secrets.stores import SecretWriter
from matchboxctl.store.mode import StoreSettings
from matchboxctl.store.stack import SECRETS

_CALL_SECONDS = 60.0


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

    from lambda_matchbox.aws.clients.http_client import HttpClient
    from lambda_matchbox.aws.secrets import StackSecrets
    from matchboxctl.secrets.parameter_store import ParameterStore
    from matchboxctl.store.advice import advising_on

    if not store.secrets:
        stack = f"stack {store.stack} has no output {SECRETS}: update it to this release"
        variables = (
            "MATCHBOX_SECRETS is not set: set it to the prefix of the secrets in Parameter Store, or use --stack"
        )
        raise UsageError(f"there is no place for secrets: {stack if store.stack else variables}")
    if not store.secrets.startswith("/"):
        raise UsageError(
            f"invalid MATCHBOX_SECRETS {store.secrets!r}: use a prefix that begins with /, as /matchbox/NAME"
        )
    # Fails at once without credentials, for which later calls would wait.
    store.credentials()
    settings = store.boot_settings().secrets
    _check_endpoint(store, "SSM", settings.parameters_endpoint)
    if settings.arns != {}:
        _check_endpoint(store, "SECRETS_MANAGER", settings.secrets_endpoint)
    where = f"secrets {store.secrets} on {settings.parameters_endpoint or f'AWS {store.region}'}"
    config = Config(ignore_configured_endpoint_urls=settings.parameters_endpoint is None)  # type: ignore[call-arg]
    with closing(HttpClient()) as http, advising_on(store, where):
        ssm = store.session.client(
            "ssm", region_name=store.region, endpoint_url=settings.parameters_endpoint, config=config
        )
        reader = StackSecrets(settings, store.region, store.credentials, http, call_timeout=_CALL_SECONDS)
        yield ParameterStore(ssm, reader, settings, store.secrets_key, warn)


def _check_endpoint(store: StoreSettings, service: str, endpoint: str | None) -> None:
    """Raise UsageError unless the service is on AWS as the table is, or neither."""
    if (endpoint is None) != (store.dynamodb_endpoint is None):
        given, lacking = ("DYNAMODB", service) if endpoint is None else (service, "DYNAMODB")
        raise UsageError(
            f"AWS_ENDPOINT_URL_{given} is set and AWS_ENDPOINT_URL_{lacking} is not: that would be AWS for one of "
            "them; set both or neither"
        )
