"""The comparison as a table of groups and routes, and as a document."""

from collections.abc import Sequence
from typing import Any

from matchboxctl.check.report import masked_labels
from matchboxctl.cli.plurals import counted
from matchboxctl.cli.tables import table
from matchboxctl.migrate.comparison import Compared, Outcome, Row
from matchboxctl.validate.findings import some

_ROUTES = ("ipxe", "grub", "ignition", "cloud", "generic", "metadata", "assets")


class Table:
    """The rows of all groups; `old` is the address of the matchbox that was compared, or empty."""

    def __init__(self, rows: Sequence[Row], old: str) -> None:
        self._rows = rows
        self._old = old
        self.differ = [row.group for row in rows if any(one.outcome is Outcome.DIFFERS for one in row.compared)]
        """The groups whose machines get something else."""

    def text(self) -> str:
        """The table, and below it the reason of each difference and error, with its groups."""
        routes = [route for route in _ROUTES if any(one.route == route for row in self._rows for one in row.compared)]
        lines = [
            [row.group, *(next((_cell(one) for one in row.compared if one.route == route), "") for route in routes)]
            for row in self._rows
        ]
        reasons: dict[str, list[str]] = {}
        for row in self._rows:
            if row.beaten_by:
                reasons.setdefault(f"no machine: {row.beaten_by} has the same selectors", []).append(row.group)
            for one in row.compared:
                if one.why:
                    reasons.setdefault(f"{one.route}: {_cell(one)}: {one.why}", []).append(row.group)
        return table(["GROUP", *map(str.upper, routes)], lines) + "".join(
            f"{reason}, for {some(groups)}\n" for reason, groups in reasons.items()
        )

    def summary(self) -> str:
        """How many groups differ, or that nothing was compared."""
        groups = counted(len(self._rows), "group")
        if not self._old:
            return f"{groups}: only documents were looked at, since no --compare URL names a running matchbox"
        verb = "differs" if len(self.differ) == 1 else "differ"
        return f"{len(self.differ) or 'none'} of {groups} {verb} from {self._old}"

    def document(self) -> dict[str, object]:
        """The same for programs."""
        return {
            "compared_with": self._old or None,
            "different_groups": self.differ,
            "groups": [
                {
                    "group": row.group,
                    "labels": masked_labels(row.labels),
                    "beaten_by": row.beaten_by or None,
                    "responses": [_document(one) for one in row.compared],
                }
                for row in self._rows
            ],
        }


def _cell(one: Compared) -> str:
    return str(one.here if one.there is None else one.outcome)


def _document(one: Compared) -> dict[str, Any]:
    return {
        "route": one.route,
        "outcome": None if one.there is None else str(one.outcome),
        "old_status": one.there or None,
        "new_status": one.here,
        "why": one.why or None,
    }
