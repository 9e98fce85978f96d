"""A data directory in a table and a bucket, and the environment that names them."""

import os
import uuid
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from lambda_matchbox.aws.catalog.writer import CatalogWriter
from lambda_matchbox.aws.clients.light_clients import LightClients, light_clients
from lambda_matchbox.aws.clients.sigv4 import Credentials
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.keys import ASSETS_PREFIX
from lambda_matchbox.aws.table_and_bucket import create_bucket, create_table
from lambda_matchbox.documents.groups_and_profiles import parse_group, parse_profile
from lambda_matchbox.errors import DocumentError
from lambda_matchbox.golang.http import content_type
from tests.rigs.service import Service


@dataclass(frozen=True)
class Stores:
    """A table on `tables` and a bucket of the same name on `buckets`, whose credentials are for both."""

    name: str
    tables: Service
    buckets: Service

    def environment(self, bucket_url: str | None = None) -> dict[str, str]:
        """The environment for `serve`."""
        given = {
            "PATH": os.environ["PATH"],
            "MATCHBOX_TABLE": self.name,
            "MATCHBOX_BUCKET": self.name,
            "MATCHBOX_LOG_LEVEL": "warning",
            "AWS_REGION": self.tables.region,
            "AWS_ACCESS_KEY_ID": self.buckets.access_key,
            "AWS_SECRET_ACCESS_KEY": self.buckets.secret_key,
            "AWS_ENDPOINT_URL_DYNAMODB": self.tables.endpoint,
            "AWS_ENDPOINT_URL_S3": self.buckets.endpoint,
        }
        if self.buckets.session_token is not None:
            given["AWS_SESSION_TOKEN"] = self.buckets.session_token
        return given if bucket_url is None else given | {"MATCHBOX_BUCKET_URL": bucket_url}

    def create(self) -> None:
        """Make them, empty."""
        with closing(self.tables.client("dynamodb")) as dynamodb, closing(self.buckets.client("s3")) as s3:
            create_table(dynamodb, self.name)
            create_bucket(s3, self.name, self.buckets.region)

    def writer(self) -> CatalogWriter:
        """A new writer, with clients of its own."""
        return CatalogWriter(self.clients())

    def clients(self) -> StoreClients:
        """New clients."""
        return StoreClients(self.tables.client("dynamodb"), self.buckets.client("s3"), self.name, self.name)

    def light_clients(self) -> LightClients:
        """New light clients."""
        own = self.buckets
        return light_clients(
            self.name,
            self.name,
            self.tables.region,
            lambda: Credentials(own.access_key, own.secret_key, own.session_token),
            dynamodb_endpoint=self.tables.endpoint,
            s3_endpoint=self.buckets.endpoint,
        )

    def put_asset(self, path: str, body: bytes) -> None:
        """Put an asset as an import does."""
        with closing(self.buckets.client("s3")) as s3:
            kind = content_type.of_file(path, body)
            s3.put_object(Bucket=self.name, Key=ASSETS_PREFIX + path, Body=body, ContentType=kind)

    def fill(self, data: Path) -> None:
        """Make them, and put the documents and assets of a data directory into them."""
        self.create()
        self.load(data)

    def contents(self, *tables: str) -> Iterator[tuple[str, bytes]]:
        """Names and contents of all items, also of these other tables, and of all objects."""
        with closing(self.tables.client("dynamodb")) as dynamodb, closing(self.buckets.client("s3")) as s3:
            for table in (self.name, *tables):
                for page in dynamodb.get_paginator("scan").paginate(TableName=table):
                    yield from ((f"{table}: {item['pk']}", repr(item).encode()) for item in page["Items"])
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=self.name):
                for found in page.get("Contents", ()):
                    body = s3.get_object(Bucket=self.name, Key=found["Key"])["Body"].read()
                    yield found["Key"], body

    def load(self, data: Path) -> None:
        """Put the documents and assets of a data directory into them."""
        writer = self.writer()
        for file in (data / "profiles").glob("*"):
            writer.put_profile(parse_profile(file.stem, file.read_bytes()))
        for file in (data / "groups").glob("*"):
            # The recordings hold groups that do not parse, which matchbox leaves out.
            with suppress(DocumentError):
                writer.put_group(parse_group(file.stem, file.read_bytes()))
        for kind in ("cloud", "generic", "ignition"):
            for file in (data / kind).glob("*"):
                writer.put_template(kind, file.name, file.read_bytes())
        for file in (data / "assets").rglob("*"):
            if not file.is_dir():
                self.put_asset(file.relative_to(data / "assets").as_posix(), file.read_bytes())


def new_stores(tables: Service, buckets: Service) -> Stores:
    """Stores of a new name, which do not exist yet."""
    # DynamoDB Local takes any credentials, but shows each access key its own tables.
    same = replace(
        tables,
        access_key=buckets.access_key,
        secret_key=buckets.secret_key,
        session_token=buckets.session_token,
    )
    return Stores(f"matchbox-{uuid.uuid4()}", same, buckets)
