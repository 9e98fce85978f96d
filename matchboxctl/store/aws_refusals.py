"""What does an operator do about what boto3 or AWS refused?"""

from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import Boto3Error
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
)

from lambda_matchbox.aws.catalog.items import UnwritableError
from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.errors import StoreUnavailableError
from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.store.mode import StoreSettings

_ABSENT = ("ResourceNotFoundException", "NoSuchBucket", "404")
_FORBIDDEN = ("AccessDeniedException", "AccessDenied", "403", "UnrecognizedClientException", "InvalidAccessKeyId")


@contextmanager
def explained(store: StoreSettings) -> Iterator[None]:
    """Raise UsageError or FailedError, with one line that says what to do, for what AWS refuses in the body."""
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise UsageError(
            "no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ) from error
    except EndpointConnectionError as error:
        raise FailedError(f"{error}: is the endpoint right, and the network there?") from error
    except (ClientError, AWSError) as error:
        code = error.code if isinstance(error, AWSError) else error.response["Error"]["Code"]
        if code in _ABSENT:
            raise FailedError(f"{store.place}: {error}: make them with `matchboxctl init`") from error
        advice = ": see to the permissions of these credentials" if code in _FORBIDDEN else ""
        raise FailedError(f"{store.place}: {error}{advice}") from error
    except UnwritableError as error:
        raise FailedError(f"{store.place}: {error}; what came before it is done") from error
    except (Boto3Error, BotoCoreError, StoreUnavailableError) as error:
        raise FailedError(f"{store.place}: {error}; run the same command again") from error
