"""What boto3 raises as the errors of this product."""

from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from lambda_matchbox.aws.clients.errors import AWSError, passes
from lambda_matchbox.errors import StoreUnavailableError


@contextmanager
def translated() -> Iterator[None]:
    """Raise AWSError for what AWS refuses in the body, StoreUnavailableError where it does not answer or is too busy.

    boto3 has asked several times by then.
    """
    try:
        yield
    except ClientError as error:
        said = error.response["Error"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        refusal = AWSError(said.get("Code", str(status)), said.get("Message", "the answer gives no reason"), status)
        if passes(refusal):
            raise StoreUnavailableError(str(refusal)) from error
        raise refusal from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise StoreUnavailableError(
            "no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ) from error
    except (Boto3Error, BotoCoreError) as error:
        raise StoreUnavailableError(str(error)) from error
