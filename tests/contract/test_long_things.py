"""Things that are longer than any other, through the writer and the Lambda function."""

from contextlib import closing

import pytest

from lambda_matchbox.aws.catalog.items import UnwritableError
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from tests.contract.boot_app import Reply, boot_app
from tests.contract.conftest import MakeTable
from tests.contract.many_groups import of_shapes
from tests.rigs.catalog_table import CatalogTable
from tests.rigs.service import Service

MEGABYTE = 1_000_000
TEMPLATES = Profile("p", generic_id="t")


def test_template(table: CatalogTable) -> None:
    """A template of 1 MB is rendered, from the bucket."""
    table.writer.put_template("generic", "t", b"{{/* " + b"x" * MEGABYTE + b" */}}hello {{.name}}\n")
    table.writer.put_profile(TEMPLATES)
    table.fill(Group("a", profile="p", metadata={"name": "node"}))
    with boot_app(table) as app:
        assert [Reply(200, b"hello node\n")] * 2 == [app.ask("/generic") for _ in range(2)]


def test_metadata(table: CatalogTable) -> None:
    """A group with metadata of 1 MB, in many values and in one, has them all in its templates."""
    many = {f"key{n:05}": "v" * 100 for n in range(5_000)}
    table.writer.put_template("generic", "t", b"{{len .one}} {{.key04999}}\n")
    table.writer.put_profile(TEMPLATES)
    table.fill(Group("a", profile="p", metadata={**many, "one": "x" * (MEGABYTE // 2)}))
    with boot_app(table) as app:
        assert Reply(200, f"{MEGABYTE // 2} {'v' * 100}\n".encode()) == app.ask("/generic")


def test_metadata_of_a_profile(table: CatalogTable) -> None:
    """A profile with metadata of 1 MB has them all in its machines' templates, and shows none of them itself."""
    table.writer.put_template("generic", "t", b"{{len .long}} {{.name}}\n")
    table.writer.put_profile(TEMPLATES._replace(metadata={"long": "x" * MEGABYTE, "name": "profile"}))
    table.fill(Group("a", profile="p", metadata={"name": "group"}))
    with boot_app(table) as app:
        assert Reply(200, f"{MEGABYTE} group\n".encode()) == app.ask("/generic")
        assert Reply(200, b'{"id": "p", "generic_id": "t"}\n') == app.ask("/profiles/p")
    assert [] == table.fsck()


@pytest.mark.real
def test_shapes(dynamodb_local: Service, made: MakeTable) -> None:
    """With 300 selector shapes, written one by one, the first and the last are found (moto takes long to write)."""
    groups = of_shapes(300, 300)
    with closing(made(dynamodb_local)) as table:
        table.fill(*groups)
        table.writer.put_profile(Profile("p", boot=NetBoot("/k")))
        with boot_app(table) as app:
            replies = [app.ask("/ipxe", **groups[index].selector) for index in (0, -1)]
    assert [Reply(200, b"#!ipxe\nkernel /k\nboot\n")] * 2 == replies


def test_selector_value(table: CatalogTable) -> None:
    """A selector's value may have 5 KB, and the last byte of it counts."""
    long = "ü" * 2_560
    table.writer.put_profile(Profile("p", boot=NetBoot("/k")))
    table.fill(Group("a", profile="p", selector={"serial": long}))
    with boot_app(table) as app:
        assert [200, 404] == [app.ask("/ipxe", serial=value).status for value in (long, long[:-1] + "u")]


@pytest.mark.parametrize("labels", [{"serial": "x" * 10_240}, {"x" * 10_240: "y"}], ids=["value", "key"])
def test_label(table: CatalogTable, labels: dict[str, str]) -> None:
    """A label of 10 KB is compared like any other, and found nowhere."""
    table.writer.put_profile(Profile("p", boot=NetBoot("/k")))
    table.writer.put_profile(Profile("default", boot=NetBoot("/default")))
    table.fill(Group("default", profile="default"), Group("a", profile="p", selector={"serial": "x"}))
    with boot_app(table) as app:
        assert Reply(200, b"#!ipxe\nkernel /default\nboot\n") == app.ask("/ipxe", **labels)


def test_id(table: CatalogTable) -> None:
    """An id longer than a key may be is refused with the limit, and is asked for in vain."""
    long = "x" * 2_047
    limit = r"longer than a key may be \(2048 bytes\)"
    with pytest.raises(UnwritableError, match=limit):
        table.writer.put_group(Group(long))
    with pytest.raises(UnwritableError, match=limit):
        table.writer.put_profile(Profile(long))
    with pytest.raises(UnwritableError, match=limit):
        table.writer.put_template("generic", long, b"")
    table.fill(Group("a", profile=long))
    with boot_app(table) as app:
        assert [404, 404] == [app.ask(f"/profiles/{long}").status, app.ask("/ipxe").status]
