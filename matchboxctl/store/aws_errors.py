"""Errors of AWS as an operator reads them."""

from lambda_matchbox.aws.clients.errors import AWSError

_NO_TABLE = "ResourceNotFoundException"
_ABSENT = (_NO_TABLE, "NoSuchBucket", "404")
_FORBIDDEN = ("AccessDeniedException", "AccessDenied", "403", "UnrecognizedClientException", "InvalidAccessKeyId")
_INVALID = ("InvalidSignatureException", "SignatureDoesNotMatch", "ExpiredToken", "ExpiredTokenException")


def with_advice(error: AWSError) -> str:
    """What AWS refused, and what to do about it."""
    if error.code in _ABSENT:
        absent = "table" if error.code == _NO_TABLE else "bucket"
        return f"the {absent} does not exist; create table and bucket with `matchboxctl init`"
    # boto3's error knows it.
    operation = getattr(error.__cause__, "operation_name", "")
    reason = f"{operation}: {error.message} ({error.code})" if operation else str(error)
    if error.code in _INVALID:
        return f"{reason}; check the credentials"
    return f"{reason}; check the permissions of these credentials" if error.code in _FORBIDDEN else reason
