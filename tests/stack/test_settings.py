"""The functions' environment variables."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from asset_sync.settings import Settings as SyncSettings
from boot_history.settings import Settings as HistorySettings
from lambda_matchbox.documents.sources import parse_stand_in
from lambda_matchbox.web.settings import Settings as BootSettings
from signed_api.handler import SignedSettings
from tests.stack.conftest import CLOUDFRONT, DOORS, FULL, KEY, stacks_behind
from tests.stack.resolution import NAME, Stack, stacks
from tools.template_translation import Deployment

LAMBDAS_OWN = {"AWS_REGION"}
ENDPOINTS = {
    *("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_ENDPOINT_URL"),
    *("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_S3"),
    *("AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL_SSM"),
}
FUNCTIONS: dict[str, Callable[[Mapping[str, str]], Any]] = {
    "BootApi": BootSettings.from_environment,
    "SignedApi": lambda environment: SignedSettings.from_environment(environment).boot,
    "AssetSync": SyncSettings.from_environment,
    "BootHistory": HistorySettings.from_environment,
}
OF_TABLE_AND_BUCKET = [name for name in FUNCTIONS if name != "BootHistory"]

CACHES = {"XDG_CACHE_HOME", "XDG_DATA_HOME"}
"""The sigstore library reads them."""


class _Read(Mapping[str, str]):
    """An environment that remembers what is asked of it."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.asked = set[str]()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_template_sets_the_variables_that_handlers_read(function: str) -> None:
    """Behind one door or the other. Endpoints are for other servers."""
    endpoint = {**FULL, **CLOUDFRONT, "S3EndpointId": "vpce-0123456789abcdef0"}
    made = [*(stacks_behind(door).full for door in DOORS), *stacks([Deployment(endpoint)])]
    variables = {name: value for stack in made for name, value in stack.environment(function).items()}
    environment = _Read(variables | {"AWS_REGION": "eu-central-1"})
    FUNCTIONS[function](environment)
    assert environment.asked - LAMBDAS_OWN - ENDPOINTS == set(variables) - CACHES


def test_trusted_root_is_cached_where_the_function_may_write(plain: Stack) -> None:
    environment = plain.environment("AssetSync")
    assert [True, True] == [environment[name].startswith("/tmp/") for name in sorted(CACHES)]


@pytest.mark.parametrize("function", OF_TABLE_AND_BUCKET)
def test_defaults_are_valid_settings(with_key: Stack, function: str) -> None:
    settings = FUNCTIONS[function](with_key.environment(function) | {"AWS_REGION": "eu-central-1"})
    assert (NAME, NAME) == (settings.table, settings.bucket)


def test_boot_history_has_the_table_and_the_days_of_the_parameter(plain: Stack) -> None:
    settings = HistorySettings.from_environment(plain.environment("BootHistory") | {"AWS_REGION": "eu-central-1"})
    assert ("<HistoryTable>", 30) == (settings.table, settings.days)


@pytest.mark.parametrize("days", ["MinValue", "MaxValue"])
def test_days_of_the_history_are_valid_to_their_bounds(plain: Stack, days: str) -> None:
    given = str(plain._template["Parameters"]["HistoryRetention"][days])
    [stack] = stacks([Deployment({"HistoryRetention": given})])
    settings = HistorySettings.from_environment(stack.environment("BootHistory") | {"AWS_REGION": "eu-central-1"})
    assert given == str(settings.days)


def test_settings_name_table_and_bucket(plain: Stack) -> None:
    names = plain.properties("Table")["TableName"], plain.properties("Bucket")["BucketName"]
    assert (NAME, NAME) == names


@pytest.mark.parametrize(
    ("platform", "source_id", "assets"),
    [("linux/arm64", "talos-arm64", "talos/arm64"), ("linux/amd64", "talos-amd64", "talos/amd64")],
)
def test_first_source_is_valid(platform: str, source_id: str, assets: str) -> None:
    [stack] = stacks([Deployment({"SourceImage": "registry.example.com/talos:v1", "SourcePlatform": platform})])
    source = parse_stand_in(stack.environment("AssetSync")["MATCHBOX_SOURCE"].encode())
    found = source.id, source.assets, str(source.image), str(source.platform)
    assert (source_id, assets, "registry.example.com/talos:v1", platform) == found


def test_no_image_is_synced_that_the_operator_did_not_name(plain: Stack) -> None:
    """Whoever may push to its tag decides what machines run."""
    assert plain.environment("AssetSync")["MATCHBOX_SOURCE"] == ""


def test_token_free_address_is_the_operators_or_the_endpoints() -> None:
    given = {"TokenFreeAddress": "http://assets.example.com"}
    endpoint = {"S3EndpointId": "vpce-0123456789abcdef0"}
    made = stacks([Deployment(each) for each in ({}, FULL, endpoint, {**endpoint, **given})])
    own = f"http://{NAME}.s3.eu-central-1.amazonaws.com"
    assert ["", own, own, "http://assets.example.com"] == [
        stack.environment("BootApi")["MATCHBOX_BUCKET_URL"] for stack in made
    ]
    assert own == made[1].environment("SignedApi")["MATCHBOX_BUCKET_URL"]


def test_base_url_is_the_same_for_scripts_and_their_signatures() -> None:
    (stack,) = stacks([Deployment({**FULL, "BaseUrl": "https://boot.example.com"})])
    found = [stack.environment(name)["MATCHBOX_BASE_URL"] for name in ("BootApi", "SignedApi")]
    assert ["https://boot.example.com"] * 2 == found


def test_only_signed_api_has_the_signing_secret(full: Stack) -> None:
    found = {name for name in FUNCTIONS if full.parameters["SigningKeySecret"] in full.environment(name).values()}
    assert {"SignedApi"} == found


CIDRS = ["AllowedCidr", "SecondAllowedCidr"]


@pytest.mark.parametrize("name", CIDRS)
@pytest.mark.parametrize(
    "block", ["10.0.0.0/8", "10.20.13.0/24", "192.168.255.249/32", "172.16.0.0/12", "100.64.0.0/10", "203.0.113.9/31"]
)
def test_networks_of_machines_are_taken(plain: Stack, name: str, block: str) -> None:
    assert [] == plain.refusals({name: block})


@pytest.mark.parametrize("name", CIDRS)
@pytest.mark.parametrize(
    "block",
    [
        *("0.0.0.0/0", "1.2.3.4/0", "0.0.0.0/00", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/7", "10.0.0.0/08"),
        *("999.1.1.1/99", "256.0.0.0/8", "10.0.0.256/32", "10.0.0.0/33", "10.0.0.0/99", "010.0.0.0/16"),
        *("10.0.0/16", "10.0.0.0", "10.0.0.0/", "10.0.0.0/16,10.1.0.0/16", "10.0.0.0/16\n", "::/0"),
    ],
)
def test_blocks_that_are_invalid_or_of_more_than_a_network_are_refused(plain: Stack, name: str, block: str) -> None:
    """The largest private network has a prefix of 8 bits; two of one bit are the whole internet."""
    assert name in plain.refusals({name: block})


@pytest.mark.parametrize("name", CIDRS)
def test_rule_says_what_to_do_about_the_whole_internet(plain: Stack, name: str) -> None:
    pattern, rule = plain.refusals({name: "0.0.0.0/0"})
    assert (name, True) == (pattern, "set AllowedCidr and SecondAllowedCidr to the machines' own networks" in rule)


def test_somebody_has_to_be_admitted(plain: Stack) -> None:
    asked = "set AllowedCidr or AllowedPrefixList to the machines' addresses"
    assert [asked] == plain.refusals({"AllowedCidr": ""})
    assert [] == plain.refusals({"AllowedCidr": "", "AllowedPrefixList": "pl-0123456789abcdef0"})


@pytest.mark.parametrize("level", ["info", "debug"])
def test_lambdas_log_level_is_the_functions(level: str) -> None:
    """Lambda drops lines below its own."""
    [stack] = stacks([Deployment({"LogLevel": level, **KEY})])
    found = {
        (stack.environment(name)["MATCHBOX_LOG_LEVEL"], stack.properties(name)["LoggingConfig"]["ApplicationLogLevel"])
        for name in OF_TABLE_AND_BUCKET
    }
    assert {(level, level.upper())} == found
    assert level.upper() == stack.properties("BootHistory")["LoggingConfig"]["ApplicationLogLevel"]


def test_no_log_level_cuts_the_history_off(plain: Stack) -> None:
    """It is made of lines of level INFO: the functions write them at each level, and Lambda passes them on."""
    levels = plain._template["Parameters"]["LogLevel"]["AllowedValues"]
    assert len(levels) > 1
    for stack in stacks([Deployment({"LogLevel": level, **KEY}) for level in levels]):
        for name in ("BootApi", "SignedApi"):
            settings = FUNCTIONS[name](stack.environment(name) | {"AWS_REGION": "eu-central-1"})
            assert settings.history
            assert stack.properties(name)["LoggingConfig"]["ApplicationLogLevel"] in {"INFO", "DEBUG"}
