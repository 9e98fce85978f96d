"""A retry policy for tests of failures."""

from lambda_matchbox.backoff import Backoff
from lambda_matchbox.oci.distribution.retries import RetryPolicy

FAST_RETRIES = RetryPolicy(attempts=3, backoff=Backoff(first=0.001, longest=0.01))
