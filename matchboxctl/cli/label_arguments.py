"""The labels of a machine, as commands are given them: `--label KEY=VALUE`."""

import argparse
from collections.abc import Sequence

from matchboxctl.cli.errors import UsageError


def add_label_argument(command: argparse.ArgumentParser) -> None:
    """Add `--label`, which may be given several times."""
    command.add_argument(
        "--label",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="a label of the machine, such as mac=52:54:00:12:34:56; may be given several times",
    )


def given_labels(labels: Sequence[str]) -> list[tuple[str, str]]:
    """Keys and values in their order; a key may be given twice. Raises UsageError for what is no label."""
    pairs = []
    for label in labels:
        key, equals, value = label.partition("=")
        if not key or not equals:
            raise UsageError(f"--label {label!r} is no KEY=VALUE, such as mac=52:54:00:12:34:56")
        pairs.append((key, value))
    return pairs
