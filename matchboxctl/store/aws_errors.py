"""Errors of AWS as an operator reads them."""

from lambda_matchbox.aws.clients.errors import AWSError, UnreachableError
from lambda_matchbox.errors import StoreUnavailableError

_NO_TABLE = "ResourceNotFoundException"
_ABSENT = (_NO_TABLE, "NoSuchBucket", "404")
_FORBIDDEN = ("AccessDeniedException", "AccessDenied", "403")
_INVALID = (
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationTokenException",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)
# HEAD has the status alone.
_ELSEWHERE = ("301", "400", "AuthorizationHeaderMalformed", "PermanentRedirect")
# OpenSSL's words.
_UNKNOWN_CA = ("self-signed certificate", "self signed certificate", "local issuer certificate", "first certificate")


def with_advice(error: AWSError | StoreUnavailableError) -> str:
    """What AWS refused, or why it does not respond, and what to do about it."""
    if isinstance(error, UnreachableError):
        if any(text in str(error) for text in _UNKNOWN_CA):
            return f"{error}; set SSL_CERT_FILE and AWS_CA_BUNDLE to the file of its CA"
        return f"{error}; check the endpoint and the network"
    if isinstance(error, StoreUnavailableError):
        return f"{error}; run the same command again"
    if error.code in _ABSENT:
        absent = "table" if error.code == _NO_TABLE else "bucket"
        return f"the {absent} does not exist: check name and region, or create it with `matchboxctl init`"
    # boto3's error knows it.
    operation = getattr(error.__cause__, "operation_name", "")
    if error.code in _INVALID:
        # What AWS says of it is long and no help.
        return f"{operation + ': ' if operation else ''}{error.code}; check the credentials and the clock"
    refusal = f"{operation}: {error.message} ({error.code})" if operation else str(error)
    if error.code in _ELSEWHERE:
        return f"{refusal}; check the region and the credentials"
    return f"{refusal}; check the permissions of these credentials" if error.code in _FORBIDDEN else refusal
