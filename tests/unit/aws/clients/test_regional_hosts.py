"""The hosts that the boot path asks, against those that botocore knows."""

import pytest
from botocore.loaders import Loader

from lambda_matchbox.aws.clients.regional_hosts import regional_host

SUFFIXES = {
    region: partition["outputs"]["dnsSuffix"]
    for partition in Loader().load_data("partitions")["partitions"]
    for region in partition["regions"]
    if not region.endswith("-global")
}


def test_hosts_equal_those_of_botocore() -> None:
    expected = {region: f"s3.{region}.{suffix}" for region, suffix in SUFFIXES.items()}
    assert expected == {region: regional_host("s3", region) for region in SUFFIXES}


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-central-1", "dynamodb.eu-central-1.amazonaws.com"),
        ("cn-north-1", "dynamodb.cn-north-1.amazonaws.com.cn"),
        ("eusc-de-east-1", "dynamodb.eusc-de-east-1.amazonaws.eu"),
        ("eu-nowhere-9", "dynamodb.eu-nowhere-9.amazonaws.com"),
    ],
)
def test_unknown_region_has_the_default_suffix(region: str, host: str) -> None:
    assert host == regional_host("dynamodb", region)
