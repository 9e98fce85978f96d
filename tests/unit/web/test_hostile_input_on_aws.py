"""Hostile requests to the function over a table and a bucket."""

import uuid

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.aws.catalog.writer import CatalogWriter
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.keys import ASSETS_PREFIX
from lambda_matchbox.aws.table_and_bucket import create_bucket, create_table
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.web.alb import BODY_LIMIT
from lambda_matchbox.web.app import App
from lambda_matchbox.web.routes import Routes
from tests.rigs.catalog_table import ENOUGH
from tests.rigs.service import Service
from tests.support.table_stores import table_stores
from tests.unit.web.hostile_requests import HEADERS, METHODS, PATHS, QUERIES, ROOTED_PATHS, event, handled, quiet

ROUTES = st.sampled_from(["/generic", "/cloud", "/ignition", "/metadata", "/ipxe", "/grub"])
NAMED = st.tuples(st.sampled_from(["/assets/", "/profiles/"]), PATHS).map("".join)


@pytest.fixture(scope="module")
def app(moto_server: Service) -> App:
    name = f"matchbox-{uuid.uuid4().hex}"
    client, s3_client = moto_server.client("dynamodb"), moto_server.client("s3")
    create_table(client, name)
    create_bucket(s3_client, name, moto_server.region)
    s3_client.put_object(Bucket=name, Key=ASSETS_PREFIX + "small", Body=b"small", ContentType="text/plain")
    s3_client.put_object(Bucket=name, Key=ASSETS_PREFIX + "dir/index.html", Body=b"<p>", ContentType="text/html")
    writer = CatalogWriter(StoreClients(client, s3_client, name, name))
    writer.put_profile(Profile("p", "", "i.yaml", "c", "g", NetBoot("/assets/small", args=("a=${b}",))))
    writer.put_template("ignition", "i.yaml", b"a: b\n")
    writer.put_template("cloud", "c", b"#!/bin/sh\n{{.request.raw_query}}")
    writer.put_template("generic", "g", b"{{.request.raw_query}} {{.request.query}} {{.key}}")
    writer.put_group(Group("all", profile="p", metadata={"key": "value"}))
    writer.put_group(Group("os", profile="absent", selector={"os": "a"}))
    writer.put_group(Group("odd", profile="p", selector={"a": "", "\u00fc": "%"}))
    stores = table_stores(moto_server, name, HttpClient(connect_timeout=ENOUGH, read_timeout=ENOUGH))
    return App(Routes(stores, Delivery(BODY_LIMIT, "boundary")), quiet())


@given(METHODS, ROUTES | NAMED | ROOTED_PATHS, QUERIES, HEADERS)
@example("GET", "/assets/%ff", {}, {})
@example("GET", "/assets/a%00b", {}, {})
@example("GET", f"/assets/{'x' * 1100}", {}, {})
@example("GET", f"/profiles/{'x' * 3000}", {}, {})
@example("GET", "/profiles/%ff", {}, {})
@example("GET", "/ipxe", {"%ff": ["%ed%a0%80"], "mac": ["%00"]}, {})
def test_any_event(
    app: App, method: str, path: str, query: dict[str, list[str]], headers: dict[str, list[str]]
) -> None:
    """Any method, path, query and headers: no exception, 5xx or malformed header."""
    handled(app, event(method, path, query, headers))
