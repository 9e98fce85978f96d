"""Documents near the limits, through the writer and the Lambda function."""

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


def test_template_of_1_mb_is_rendered(table: CatalogTable) -> None:
    table.writer.put_template("generic", "t", b"{{/* " + b"x" * MEGABYTE + b" */}}hello {{.name}}\n")
    table.writer.put_profile(TEMPLATES)
    table.fill(Group("a", profile="p", metadata={"name": "node"}))
    with boot_app(table) as app:
        assert [Reply(200, b"hello node\n")] * 2 == [app.send("/generic") for _ in range(2)]


def test_group_metadata_of_1_mb_is_in_templates(table: CatalogTable) -> None:
    many = {f"key{n:05}": "v" * 100 for n in range(5_000)}
    table.writer.put_template("generic", "t", b"{{len .one}} {{.key04999}}\n")
    table.writer.put_profile(TEMPLATES)
    table.fill(Group("a", profile="p", metadata={**many, "one": "x" * (MEGABYTE // 2)}))
    with boot_app(table) as app:
        assert Reply(200, f"{MEGABYTE // 2} {'v' * 100}\n".encode()) == app.send("/generic")


def test_profile_metadata_of_1_mb_is_in_templates(table: CatalogTable) -> None:
    table.writer.put_template("generic", "t", b"{{len .long}} {{.name}}\n")
    table.writer.put_profile(TEMPLATES._replace(metadata={"long": "x" * MEGABYTE, "name": "profile"}))
    table.fill(Group("a", profile="p", metadata={"name": "group"}))
    with boot_app(table) as app:
        assert Reply(200, f"{MEGABYTE} group\n".encode()) == app.send("/generic")
        assert Reply(200, b'{"id": "p", "generic_id": "t"}\n') == app.send("/profiles/p")
    assert [] == table.fsck()


@pytest.mark.real
def test_300_shapes_are_found(dynamodb_local: Service, made: MakeTable) -> None:
    """moto takes long to write them."""
    groups = of_shapes(300, 300)
    with closing(made(dynamodb_local)) as table:
        table.fill(*groups)
        table.writer.put_profile(Profile("p", boot=NetBoot("/k")))
        with boot_app(table) as app:
            replies = [app.send("/ipxe", **groups[index].selector) for index in (0, -1)]
    assert [Reply(200, b"#!ipxe\nkernel /k\nboot\n")] * 2 == replies


def test_selector_value_of_255_bytes_matches_exactly(table: CatalogTable) -> None:
    """A longer one is stored, and matches no request."""
    long, longer = "ü" * 127 + "u", "ü" * 2_560
    table.writer.put_profile(Profile("p", boot=NetBoot("/k")))
    table.fill(Group("a", profile="p", selector={"serial": long}), Group("b", profile="p", selector={"serial": longer}))
    with boot_app(table) as app:
        assert [200, 404, 404] == [app.send("/ipxe", serial=one).status for one in (long, long[:-1] + "x", longer)]
    assert Group("b", profile="p", selector={"serial": longer}) == table.reader().group("b")


@pytest.mark.parametrize("labels", [{"serial": "x" * 10_240}, {"x" * 10_240: "y"}], ids=["value", "key"])
def test_label_of_10_kb_matches_nothing(table: CatalogTable, labels: dict[str, str]) -> None:
    table.writer.put_profile(Profile("p", boot=NetBoot("/k")))
    table.writer.put_profile(Profile("default", boot=NetBoot("/default")))
    table.fill(Group("default", profile="default"), Group("a", profile="p", selector={"serial": "x"}))
    with boot_app(table) as app:
        assert Reply(200, b"#!ipxe\nkernel /default\nboot\n") == app.send("/ipxe", **labels)


def test_id_over_the_key_limit_is_refused_and_absent(table: CatalogTable) -> None:
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
        assert [404, 404] == [app.send(f"/profiles/{long}").status, app.send("/ipxe").status]
