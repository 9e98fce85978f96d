"""iPXE of 2019, which breaks a session token in a presigned URL; the bucket is Swift's.

It turns `%2B` of a query into `+`. A Lambda role's credentials always have a session token.
"""

import urllib.error
import urllib.request
import uuid
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lambda_matchbox.aws.table_and_bucket import create_bucket
from tests.boot.clients import boot, powered_on
from tests.boot.dhcp_network import HOST
from tests.boot.exchanges import relayed
from tests.boot.fleet import INITRAMFS, KERNEL, named, write_data_directory, write_json
from tests.boot.networks import Servers
from tests.boot.store_serving import serving_stores
from tests.boot.token_free import token_free
from tests.rigs.program import free_port
from tests.rigs.service import Service
from tests.rigs.stores import Stores, new_stores
from tests.support.serving import serving

pytestmark = [pytest.mark.boot, pytest.mark.nightly]

OLD_IPXE = named("bios-ipxe-old")


def test_old_ipxe_breaks_a_presigned_url(swift_s3: Service, tmp_path: Path) -> None:
    data, scratch = tmp_path / "data", tmp_path / "machine"
    scratch.mkdir()
    write_data_directory(data, OLD_IPXE, free_port())
    with relayed(urlsplit(swift_s3.endpoint).port or 80) as bucket, serving(data) as port:
        signed = signed_address(swift_s3, bucket.port)
        write_json(
            data / "profiles" / f"{OLD_IPXE.name}.json", {"id": OLD_IPXE.name, "boot": {"kernel": signed, "args": []}}
        )
        servers = Servers(port, bucket=bucket.port)
        with powered_on(OLD_IPXE.client, servers, OLD_IPXE.machine, scratch):
            bucket.wait_for(lambda exchange: exchange.path == urlsplit(signed).path)
            [by_ipxe] = bucket.exchanges(urlsplit(signed).path)
        with urllib.request.urlopen(signed, timeout=30) as response:
            assert b"kernel" == response.read()
    assert 403 == by_ipxe.response.status
    assert f"X-Amz-Security-Token={swift_s3.session_token}&" in by_ipxe.target


def test_error_names_the_setting(moto_server: Service, swift_s3: Service, tmp_path: Path) -> None:
    """Without a token-free address there is no redirect."""
    port = free_port()
    stores = filled(moto_server, swift_s3, tmp_path, port)
    with (
        relayed(port) as relay,
        serving_stores(stores, port) as servers,
        powered_on(OLD_IPXE.client, servers._replace(boot=relay.port), OLD_IPXE.machine, tmp_path / "machine"),
    ):
        relay.wait_for(lambda exchange: exchange.path == KERNEL)
        [exchange] = relay.exchanges(KERNEL)
        asked = urllib.request.Request(
            f"http://127.0.0.1:{port}{KERNEL}", headers={"User-Agent": exchange.request.field("user-agent") or ""}
        )
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(asked, timeout=30)
        with caught.value as response:
            text = response.read().decode()
    assert (500, None) == (exchange.response.status, exchange.response.field("location"))
    assert "set MATCHBOX_BUCKET_URL to a token-free http:// address" in text


def test_old_ipxe_boots_from_the_token_free_address(moto_server: Service, swift_s3: Service, tmp_path: Path) -> None:
    port = free_port()
    stores = filled(moto_server, swift_s3, tmp_path, port)
    with (
        token_free(swift_s3, stores.name) as assets,
        serving_stores(stores, port, f"http://{HOST}:{assets.server_port}") as servers,
    ):
        result = boot(OLD_IPXE.client, servers, OLD_IPXE.machine, tmp_path / "machine")
    assert OLD_IPXE.configuration == result.configuration, result.console
    assert [KERNEL, INITRAMFS] == assets.asked


def signed_address(buckets: Service, port: int) -> str:
    """A signed address, valid for an hour, of an object in a new bucket, through a relay on that port."""
    name = f"boot-{uuid.uuid4()}"
    relay = replace(buckets, endpoint=f"http://127.0.0.1:{port}")
    with closing(buckets.client("s3")) as client, closing(relay.client("s3")) as signer:
        create_bucket(client, name, buckets.region)
        client.put_object(Bucket=name, Key="vmlinuz", Body=b"kernel")
        return signer.generate_presigned_url("get_object", {"Bucket": name, "Key": "vmlinuz"})


def filled(tables: Service, buckets: Service, directory: Path, port: int) -> Stores:
    write_data_directory(directory / "data", OLD_IPXE, port)
    (directory / "machine").mkdir()
    stores = new_stores(tables, buckets)
    stores.fill(directory / "data")
    return stores
