"""The bill of a month."""

from itertools import product

import pytest

from matchboxctl.cost.bill import ALB, CLOUDFRONT, DIRECT_CONNECT, DOORS, INTERNET, PLACES, REGION, Charge, Plan, bill
from matchboxctl.cost.prices import PRICES, Price


def total(plan: Plan, *, free_tiers: bool = True) -> float:
    return sum(one.billed if free_tiers else one.listed for one in bill(plan))


def line(plan: Plan, name: str) -> list[Charge]:
    return [one for one in bill(plan) if one.use.line == name]


def test_price_of_a_tier_is_that_of_what_lies_in_it() -> None:
    price = Price("GB", 3, "", 2, tiers=((10, 2), (20, 1)))
    assert [0, 1.5, 15, 16, 25, 30] == [price.of(amount) for amount in (0, 1, 10, 11, 20, 30)]


@pytest.mark.parametrize(
    ("nodes", "history", "usd"),
    [(0, True, 0.10), (10, True, 0.10), (1_000, True, 1.00), (100_000, False, 25.00), (100_000, True, 45.00)],
)
def test_bill_behind_cloudfront_stays_below_its_goals(nodes: int, history: bool, usd: float) -> None:
    assert total(Plan(nodes, door=CLOUDFRONT, history=history)) < usd


@pytest.mark.parametrize("where", PLACES)
def test_ten_nodes_cost_cents_wherever_they_are(where: str) -> None:
    """Behind Direct Connect the bytes of their images have a price from the first one on."""
    assert total(Plan(10, image_mb=0 if where == DIRECT_CONNECT else 100, door=CLOUDFRONT, where=where)) < 0.10


@pytest.mark.parametrize("door", DOORS)
def test_free_tier_is_shared_by_all_lines_of_its_price(door: str) -> None:
    charges = [one for one in bill(Plan(100_000, door=door)) if one.use.price == "calls"]
    amount = sum(one.use.amount for one in charges)
    assert 3 == len(charges)
    assert pytest.approx((amount - 1e6) * 0.2e-6) == sum(one.billed for one in charges)
    assert pytest.approx(amount * 0.2e-6) == sum(one.listed for one in charges)


@pytest.mark.parametrize(("door", "where"), [*product(DOORS, PLACES)])
def test_lines_follow_from_their_formulas(door: str, where: str) -> None:
    plan = Plan(7_000, 3, 250, door, where)
    for one in bill(plan):
        numbers = [float(factor.split()[0].replace(",", "")) for factor in one.use.formula.split(" * ")]
        amount = 1.0
        for number in numbers:
            amount *= number
        assert pytest.approx(amount) == one.use.amount
        assert 0 <= one.billed <= one.listed + 1e-9


def test_every_price_is_billed_somewhere_and_has_a_source() -> None:
    billed = {one.use.price for door, where in product(DOORS, PLACES) for one in bill(Plan(1, door=door, where=where))}
    assert PRICES.keys() == billed
    assert [] == [name for name, price in PRICES.items() if not price.source.startswith("https://")]


@pytest.mark.parametrize(
    ("door", "where", "price", "usd"),
    [
        (ALB, INTERNET, "internet-bytes", (10_240 - 100) * 0.09 + 19_760 * 0.085),
        (ALB, DIRECT_CONNECT, "direct-connect-bytes", 30_000 * 0.02),
        (CLOUDFRONT, INTERNET, "cloudfront-bytes", (10_240 - 1_000) * 0.085 + 19_760 * 0.08),
        (CLOUDFRONT, DIRECT_CONNECT, "direct-connect-bytes", 30_000 * 0.02),
    ],
)
def test_bytes_of_files_are_billed_where_they_go(door: str, where: str, price: str, usd: float) -> None:
    """Those of scripts are less than a thousandth of them, and take of the same free tier."""
    [charge] = line(Plan(10_000, image_mb=100, door=door, where=where), "Bytes of files")
    assert price == charge.use.price
    assert pytest.approx(usd, rel=1e-3) == charge.billed


@pytest.mark.parametrize("door", DOORS)
def test_files_in_the_region_cost_nothing_but_their_reads(door: str) -> None:
    assert [] == line(Plan(door=door, where=REGION), "Bytes of files")
    assert total(Plan(1_000, image_mb=0, door=door)) == pytest.approx(total(Plan(1_000, door=door)), abs=0.02)


def test_nothing_but_the_history_depends_on_the_history() -> None:
    without = [one.use for one in bill(Plan(history=False))]
    assert without == [one.use for one in bill(Plan()) if not one.use.line.startswith("History")]
