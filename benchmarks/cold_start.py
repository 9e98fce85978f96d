"""The time of a cold start's imports, compared with boto3 and its DynamoDB and S3 clients.

Each sample is a fresh interpreter of Lambda's Python version, from its start to the end of the imports; candidates
alternate. Run by `make bench`.
"""

from benchmarks.timing import fresh_seconds, print_table
from tests.rigs.python313 import python313_environment

SAMPLES = 25
BASELINE = "import boto3; boto3.client('dynamodb'); boto3.client('s3')"
CANDIDATES = {
    "interpreter alone": "pass",
    "boto3 and two clients (the baseline)": BASELINE,
    "boot_api.handler with its app": "import boot_api.handler; boot_api.handler._app()",
    "... of which urllib3": "import urllib3",
    "... of which Powertools' Logger": "from aws_lambda_powertools import Logger; Logger(service='x')",
}


def main() -> None:
    """Print the table."""
    python = python313_environment()
    medians = fresh_seconds(python, CANDIDATES, SAMPLES)
    print_table("fresh interpreter to the end of import", "ms", medians, "boto3 and two clients (the baseline)")


if __name__ == "__main__":
    main()
