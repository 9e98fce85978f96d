"""`matchboxctl cost`."""

import json
import re
import shlex

import pytest
import yaml

from matchboxctl.cost.bill import Plan, bill
from tests.support.commands import Commands
from tests.support.paths import PROJECT


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes]) -> Commands:
    return Commands(capsysbinary)


def test_page_shows_what_the_command_prints(run: Commands) -> None:
    page = (PROJECT / "docs" / "deploy.md").read_text()
    shown = re.findall(r"```console\n\$ matchboxctl (cost.*)\n((?:.*\n)*?)```", page)
    assert 2 <= len(shown)
    for command, output in shown:
        assert (0, output, "") == run(*shlex.split(command))


@pytest.mark.parametrize("more", [(), ("--explain",), ("--no-history", "--no-free-tiers")])
def test_text_fits_80_columns(run: Commands, more: tuple[str, ...]) -> None:
    ended = run("cost", "--where", "internet", "--nodes", "10000000", "--nodes", "1", *more)
    assert 0 == ended.code
    assert [] == [line for line in ended.out.splitlines() if len(line) > 80]


def test_document_has_formula_price_and_source_of_each_line(run: Commands) -> None:
    arguments = ("cost", "--nodes", "50", "--boots-per-day", "2", "--image-mb", "300", "--door", "cloudfront")
    document = json.loads(run(*arguments, "-o", "json").out)
    assert document == yaml.safe_load(run(*arguments, "-o", "yaml").out)
    [found] = document["bills"]
    charges = bill(Plan(50, 2, 300, "cloudfront"))
    assert [one.use.formula for one in charges] == [one["formula"] for one in found["lines"]]
    assert [one.price.source for one in charges] == [one["price"]["source"] for one in found["lines"]]
    sums = [round(sum(one[name] for one in found["lines"]), 3) for name in ("usd", "usd_without_free_tiers")]
    assert sums == [round(found[name], 3) for name in ("usd", "usd_without_free_tiers")]


def test_explanation_names_what_is_not_verified(run: Commands) -> None:
    text = run("cost", "--nodes", "1000", "--explain").out
    assert "DynamoDB, writes" not in text
    assert "History, reads: " in text
    assert re.search(r"\(not\s+verified\)", text)


def test_wrong_door_is_refused_with_the_right_ones(run: Commands) -> None:
    assert "'alb', 'cloudfront'" in run.refused("cost", "--door", "nlb")[-1]


@pytest.mark.parametrize("amount", ["nan", "inf", "1e308", "-1"])
def test_what_is_no_amount_is_refused(run: Commands, amount: str) -> None:
    for option in ("--boots-per-day", "--image-mb", "--nodes"):
        assert option in run.refused("cost", option, amount)[-1]
