"""How long is a cold start's import, against boto3 with a DynamoDB and an S3 client?

On the Lambda's Python, alternating. Run as `make bench`. Each sample is a fresh interpreter, from its start to the end
of the imports.
"""

import os
import statistics
import subprocess
import time
from pathlib import Path

from tests.rigs.python313 import python313_environment

SAMPLES = 25
BASELINE = "import boto3; boto3.client('dynamodb'); boto3.client('s3')"
CANDIDATES = {
    "interpreter alone": "pass",
    "boto3 and two clients (the baseline)": BASELINE,
    "boot_api.handler with its app": "import os, boot_api.handler as h; h.app_of(os.environ)",
    "... of which urllib3": "import urllib3",
    "... of which Powertools' Logger": "from aws_lambda_powertools import Logger; Logger(service='x')",
}
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "AWS_ACCESS_KEY_ID": "fake",
    "AWS_SECRET_ACCESS_KEY": "fake",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "MATCHBOX_TABLE": "matchbox",
    "MATCHBOX_BUCKET": "matchbox",
}


def main() -> None:
    """Print the table."""
    python = python313_environment()
    samples: dict[str, list[float]] = {name: [] for name in CANDIDATES}
    for _ in range(SAMPLES + 1):
        for name, code in CANDIDATES.items():
            samples[name].append(fresh_seconds(python, code))
    # The first round fills the caches of bytecode and files.
    medians = {name: statistics.median(taken[1:]) for name, taken in samples.items()}
    base = medians["boto3 and two clients (the baseline)"]
    print(f"{'fresh interpreter to the end of import':40} {'p50 ms':>7} {'ratio':>6}")
    for name, middle in medians.items():
        print(f"{name:40} {middle * 1000:>7.0f} {middle / base:>6.2f}")


def fresh_seconds(python: Path, code: str) -> float:
    """How long a new interpreter takes for `code`, with what the handler needs in its environment."""
    start = time.perf_counter()
    subprocess.run([python, "-c", code], check=True, env=ENVIRONMENT)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
