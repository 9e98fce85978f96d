"""`matchboxctl init`: creation of table and bucket without a stack."""

from lambda_matchbox.aws.table_and_bucket import create_bucket, create_table, expire_responses
from matchboxctl.store.advice import advising_on
from matchboxctl.store.mode import StoreSettings


def init(store: StoreSettings) -> None:
    """Create what does not exist and print it. Raises UsageError and FailedError."""
    with advising_on(store):
        clients = store.clients()
        _report("table", store.table, created=create_table(clients.dynamodb, store.table))
        _report("bucket", store.bucket, created=create_bucket(clients.s3, store.bucket, store.region))
        refusal = expire_responses(clients.s3, store.bucket)
    if refusal is None:
        print("long responses, below answers/, expire after a day")
    else:
        print(f"this S3 has no lifecycles ({refusal}): long responses, below answers/, stay until they are deleted")


def _report(what: str, name: str, *, created: bool) -> None:
    print(f"{what} {name}: {'created' if created else 'exists'}")
