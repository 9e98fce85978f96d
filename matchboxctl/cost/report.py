"""The bill as a table, with its formulas, and as a document."""

import textwrap
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from matchboxctl.cli.output import print_result
from matchboxctl.cli.tables import table
from matchboxctl.cost.bill import Charge, Plan, bill, decimal
from matchboxctl.cost.prices import DATE, REGION, Price

_SUM, _LISTED_SUM = "SUM", "SUM WITHOUT FREE TIERS"
_FOOT = f"List prices of {REGION}, read on {DATE}; --explain names their sources.\n"


def show(plans: Sequence[Plan], output: str, *, explain: bool, free_tiers: bool) -> None:
    """Print the bills of plans that differ in their nodes only."""
    bills = [(plan, bill(plan)) for plan in plans]
    lines = (lambda: _explained(bills)) if explain else (lambda: _table(bills, free_tiers=free_tiers))
    print_result(
        output, lambda: {"region": REGION, "prices": DATE, "bills": [_document(*each) for each in bills]}, lines
    )


def _table(bills: Sequence[tuple[Plan, Sequence[Charge]]], *, free_tiers: bool) -> str:
    columns = []
    for _, charges in bills:
        column = defaultdict[str, float](float)
        for charge in charges:
            column[charge.use.line] += charge.billed if free_tiers else charge.listed
        columns.append(column | _sums(charges))
    rows = [[name, *(_money(column[name]) for column in columns)] for name in columns[0]]
    return table(["USD A MONTH, NODES:", *(f"{plan.nodes:>10,}" for plan, _ in bills)], rows) + _FOOT


def _sums(charges: Sequence[Charge]) -> dict[str, float]:
    return {_SUM: sum(one.billed for one in charges), _LISTED_SUM: sum(one.listed for one in charges)}


def _money(usd: float) -> str:
    return f"{usd:>10,.2f}"


def _explained(bills: Sequence[tuple[Plan, Sequence[Charge]]]) -> str:
    lines = []
    for plan, charges in bills:
        lines.append(f"{plan.nodes:,} nodes:\n")
        for charge in charges:
            price = charge.price
            lines += [
                f"{charge.use.line}: {charge.billed:,.4f} ({charge.listed:,.4f} without free tiers)",
                f"  {charge.use.formula} = {charge.use.amount:,.6g}",
                f"  {_price(price)}",
                f"  {price.source}{'' if price.verified else ' (not verified)'}\n",
            ]
        lines += [f"{name}: {_money(usd).strip()}\n" for name, usd in _sums(charges).items()]
    return "".join(f"{_wrapped(line)}\n" for line in lines) + _FOOT


def _wrapped(line: str) -> str:
    indented = " " * (len(line) - len(line.lstrip()) + 2)
    parts = textwrap.wrap(line, 80, subsequent_indent=indented, break_long_words=False, break_on_hyphens=False)
    return "\n".join(parts) + "\n" * line.endswith("\n")


def _price(price: Price) -> str:
    per = "a" if price.per == 1 else f"for {price.per:,}"
    beyond = "".join(f", {decimal(usd)} beyond {begin:,.0f}" for begin, usd in price.tiers)
    free = f", {price.free:,.0f} a month free" if price.free else ""
    return f"{decimal(price.usd)} USD {per} {price.unit}{'' if price.per == 1 else 's'}{beyond}{free}"


def _document(plan: Plan, charges: Sequence[Charge]) -> dict[str, Any]:
    lines = [
        {
            "line": one.use.line,
            "formula": one.use.formula,
            "amount": one.use.amount,
            "price": one.price._asdict(),
            "usd": round(one.billed, 6),
            "usd_without_free_tiers": round(one.listed, 6),
        }
        for one in charges
    ]
    usd, listed = _sums(charges).values()
    return {**plan._asdict(), "lines": lines, "usd": round(usd, 4), "usd_without_free_tiers": round(listed, 4)}
