"""A retry policy for tests of failures."""

from lambda_matchbox.oci.distribution.retries import RetryPolicy
from lambda_matchbox.retry import Backoff

FAST_RETRIES = RetryPolicy(attempts=3, backoff=Backoff(first=0.001, longest=0.01))
