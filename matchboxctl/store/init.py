"""`matchboxctl init`: the table and the bucket, where no stack makes them."""

from lambda_matchbox.aws.table_and_bucket import create_bucket, create_table, expire_answers
from matchboxctl.store.advice import advising_on
from matchboxctl.store.mode import StoreSettings


def init(store: StoreSettings) -> None:
    """Make what is not there yet, and say so. Raises UsageError and FailedError."""
    with advising_on(store):
        made = create_table(store.dynamodb(), store.table)
        print(f"table {store.table}: {'made' if made else 'was there'}")
        s3 = store.s3()
        made = create_bucket(s3, store.bucket, store.region)
        print(f"bucket {store.bucket}: {'made' if made else 'was there'}")
        refusal = expire_answers(s3, store.bucket)
    if refusal is None:
        print("long answers, below answers/, expire after a day")
    else:
        print(f"this S3 has no lifecycles ({refusal}): long answers, below answers/, stay until they are deleted")
