"""Responses that are too long for the balancer, in the bucket, which deletes them after a day."""

import hashlib

from lambda_matchbox.aws.clients.request_deadline import deadline_within
from lambda_matchbox.aws.clients.s3 import S3
from lambda_matchbox.aws.keys import RESPONSES_PREFIX


class S3Responses:
    """The response store over a bucket (see `http.ResponseStore`).

    Its addresses are valid for `lifetime` seconds, or until the credentials that signed them expire. A call takes
    `call_timeout` seconds at most.
    """

    def __init__(self, s3: S3, lifetime: int, *, call_timeout: float) -> None:
        self._s3 = s3
        self._lifetime = lifetime
        self._call_timeout = call_timeout

    def put(self, body: bytes, content_type: str, origin: str) -> str:
        """Put the response under its digest, so that machines with equal responses share an object."""
        # The object has a content type: a body with two types is two objects.
        key = RESPONSES_PREFIX + hashlib.sha256(content_type.encode() + b"\0" + body).hexdigest()
        self._s3.put(key, body, content_type, deadline_within(self._call_timeout))
        return self._s3.presigned_get(key, origin.partition("://")[0], self._lifetime)
