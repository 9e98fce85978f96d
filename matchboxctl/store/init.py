"""`matchboxctl init`: creation of tables and bucket without a stack."""

from botocore.exceptions import ClientError

from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.table_and_bucket import (
    account_of,
    create_bucket,
    create_history_table,
    create_table,
    expire_responses,
)
from matchboxctl.cli.errors import FailedError, on_interrupt
from matchboxctl.store.advice import advising_on
from matchboxctl.store.mode import StoreSettings


def init(store: StoreSettings) -> None:
    """Create what does not exist and print it. Raises UsageError and FailedError."""
    with advising_on(store), on_interrupt("what was created stays; the same command creates the rest"):
        clients = store.clients()
        _report("table", store.table, created=create_table(clients.dynamodb, store.table))
        if store.history_table:
            created = create_history_table(clients.dynamodb, store.history_table)
            _report("history table", store.history_table, created=created)
        owner = account_of(clients.dynamodb, store.table)
        _report("bucket", store.bucket, created=_create_bucket(clients, store.region, owner))
        refusal = expire_responses(clients.s3, store.bucket, owner)
    if refusal is None:
        print("long responses, below answers/, expire after a day")
    else:
        print(f"this S3 has no lifecycles ({refusal}): long responses, below answers/, stay until they are deleted")


def _create_bucket(clients: StoreClients, region: str, owner: str | None) -> bool:
    """Bucket names are global: somebody else may have made one for what is to be imported."""
    try:
        return create_bucket(clients.s3, clients.bucket, region, owner)
    except ClientError as error:
        if owner is None or error.response["Error"]["Code"] != "403":
            raise
        raise FailedError(
            f"bucket {clients.bucket} is not account {owner}'s, or these credentials lack s3:ListBucket: "
            "choose another name, or check the permissions"
        ) from error


def _report(what: str, name: str, *, created: bool) -> None:
    print(f"{what} {name}: {'created' if created else 'exists'}")
