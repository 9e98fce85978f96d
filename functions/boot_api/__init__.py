"""The Lambda function behind the load balancer: HTTP in, HTTP out."""

import gc

# What is imported stays: nine collections meanwhile take a twentieth of a cold start.
gc.set_threshold(20_000)
