"""The asset stores that one suite holds to one contract, each with what fills it and what serves its addresses."""

import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from aws_lambda_powertools import Logger

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.assets.stores import AssetStore
from lambda_matchbox.aws.assets import S3Assets
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.s3 import S3
from lambda_matchbox.aws.clients.sigv4 import Credentials
from lambda_matchbox.aws.keys import ASSETS_PREFIX
from lambda_matchbox.aws.table_and_bucket import create_bucket
from lambda_matchbox.golang.http.content_type import of_file
from lambda_matchbox.web.alb import BODY_LIMIT
from lambda_matchbox.web.app import App
from lambda_matchbox.web.routes import Routes, Stores
from matchboxctl.directory.assets import AssetDirectory
from matchboxctl.directory.served_releases import DirectoryReleases
from tests.rigs.catalog_table import ENOUGH
from tests.rigs.service import Service
from tests.support.http_serving import http_serving
from tests.support.memory_catalog import MemoryCatalog

LIFETIME = 3600


class Served(NamedTuple):
    """The response of an address."""

    status: int
    content_type: str | None
    body: bytes


class AssetSubject(NamedTuple):
    """An asset store, empty at first; `origin` is the scheme and host that its clients ask."""

    store: AssetStore
    put: Callable[[str, bytes], object]
    delete: Callable[[str], object]
    origin: str

    def served(self, path: str, **headers: str) -> Served:
        """The response of the address of the file."""
        location = self.store.location(path, self.origin)
        address = location if isinstance(location, str) else f"{self.origin}/assets/{quote(path)}"
        request = urllib.request.Request(address, headers=headers)
        with urllib.request.urlopen(request, timeout=ENOUGH) as response:
            return Served(response.status, response.headers["content-type"], response.read())


@contextmanager
def in_directory(root: Path) -> Iterator[AssetSubject]:
    """A directory, whose files are streamed by the server of `matchboxctl serve`."""
    store, releases = AssetDirectory(root), DirectoryReleases(root / "releases")

    def put(path: str, body: bytes) -> None:
        file = store.location(path, "")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)

    stores = Stores(MemoryCatalog(), store, releases, responses=None)
    app = App(Routes(stores, Delivery(BODY_LIMIT, "-")), Logger(level="CRITICAL"))
    with http_serving(app) as port:
        yield AssetSubject(store, put, lambda path: store.location(path, "").unlink(), f"http://127.0.0.1:{port}")


@contextmanager
def in_bucket(service: Service) -> Iterator[AssetSubject]:
    """A bucket, whose presigned addresses the service itself serves."""
    name = f"assets-{uuid.uuid4().hex}"
    credentials = Credentials(service.access_key, service.secret_key, service.session_token)
    with (
        closing(service.client("s3")) as client,
        closing(HttpClient(connect_timeout=ENOUGH, read_timeout=ENOUGH)) as http,
    ):
        create_bucket(client, name, service.region)
        s3 = S3(service.endpoint, service.region, name, lambda: credentials, http)

        def put(path: str, body: bytes) -> None:
            s3.put(ASSETS_PREFIX + path, body, of_file(path, body), time.monotonic() + ENOUGH)

        def delete(path: str) -> None:
            client.delete_object(Bucket=name, Key=ASSETS_PREFIX + path)

        yield AssetSubject(S3Assets(s3, LIFETIME, call_timeout=ENOUGH), put, delete, service.endpoint)
