"""Where matchbox's data directory is, as commands are told."""

import argparse
from collections.abc import Mapping

DATA_PATH = "/var/lib/matchbox"
"""Where the data directory is unless otherwise said; matchbox's own default."""


def add_data_path(parser: argparse.ArgumentParser, environment: Mapping[str, str], what: str) -> None:
    """Add `--data-path`; the option `data_path` is None where neither flag nor environment names one."""
    parser.add_argument(
        "--data-path",
        metavar="DIR",
        default=environment.get("MATCHBOX_DATA_PATH"),
        help=f"{what} (MATCHBOX_DATA_PATH; else {DATA_PATH})",
    )
