"""What a storm costs: the bill of one boot of each machine, with the storm's own counts in place of estimates."""

from collections import defaultdict
from collections.abc import Mapping

from matchboxctl.cost import facts
from matchboxctl.cost.bill import Plan, uses
from matchboxctl.cost.prices import PRICES

_COUNTED = {"Lambda, calls": "calls", "Lambda, time": "seconds", "DynamoDB, reads": "reads", "S3, reads": "gets"}


def expenses(month: Plan, used: Mapping[str, int], seconds: float) -> dict[str, float]:
    """USD by line of a month's bill, without free tiers and what the idle stack costs."""
    found = defaultdict[str, float](float)
    for plan, sign in ((month, 1), (month._replace(boots_per_day=0), -1)):
        for use in uses(plan):
            found[use.line] += sign * PRICES[use.price].of(use.amount)
    amounts = {**used, "seconds": seconds * facts.MEMORY}
    for line, price in _COUNTED.items():
        found[line] = PRICES[price].of(amounts.get(price, 0))
    return {line: usd for line, usd in found.items() if usd > 0}
