"""Arguments that several commands have."""

import argparse
from collections.abc import Mapping

DATA_PATH = "/var/lib/matchbox"
"""Where the data directory is unless otherwise said; matchbox's own default."""


def add_labels(parser: argparse.ArgumentParser) -> None:
    """Add `--label`; the option `label` is the list of them."""
    parser.add_argument(
        "--label",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="a label of the machine, such as mac=52:54:00:12:34:56; may be given several times",
    )


def add_data_path(parser: argparse.ArgumentParser, environment: Mapping[str, str], what: str) -> None:
    """Add `--data-path`; the option `data_path` is None where neither flag nor environment names one."""
    parser.add_argument(
        "--data-path",
        metavar="DIR",
        default=environment.get("MATCHBOX_DATA_PATH"),
        help=f"{what} (MATCHBOX_DATA_PATH; else {DATA_PATH})",
    )
