"""Arguments and help texts that commands share."""

import argparse
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lambda_matchbox.log_levels import LEVELS, log_level
from matchboxctl.cli.errors import UsageError

DATA_PATH = "/var/lib/matchbox"
"""The default data directory, as with matchbox."""


STORE_MODE = (
    "MATCHBOX_TABLE and MATCHBOX_BUCKET name table and bucket, on AWS or on AWS_ENDPOINT_URL_DYNAMODB and "
    "AWS_ENDPOINT_URL_S3."
)
MODES = (
    "With MATCHBOX_TABLE and MATCHBOX_BUCKET set, the command works on a DynamoDB table and an S3 bucket (store mode), "
    "on AWS or on AWS_ENDPOINT_URL_DYNAMODB and AWS_ENDPOINT_URL_S3; otherwise on a data directory."
)


class Address(NamedTuple):
    """A host without brackets, and a port; port 0 is any free one."""

    host: str
    port: int

    @property
    def text(self) -> str:
        """`HOST:PORT`, with brackets around an IPv6 address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def add_data_path(parser: argparse.ArgumentParser, environment: Mapping[str, str], what: str) -> None:
    """Add `--data-path`; the option `data_path` is None if neither flag nor environment gives one."""
    parser.add_argument(
        "--data-path",
        metavar="DIR",
        default=environment.get("MATCHBOX_DATA_PATH"),
        help=f"{what} (MATCHBOX_DATA_PATH; default {DATA_PATH})",
    )


def add_log_level(parser: argparse.ArgumentParser, environment: Mapping[str, str]) -> None:
    """Add `--log-level`."""
    parser.add_argument(
        "--log-level",
        metavar="LEVEL",
        default=environment.get("MATCHBOX_LOG_LEVEL") or "info",
        help=f"lowest level of the log on standard error: {', '.join(LEVELS)} (MATCHBOX_LOG_LEVEL; default info)",
    )


def parse_log_level(options: argparse.Namespace) -> str:
    """The level. Raises UsageError."""
    try:
        return log_level(options.log_level)
    except ValueError as error:
        raise UsageError(f"--log-level (MATCHBOX_LOG_LEVEL): {error}") from error


def add_label_argument(command: argparse.ArgumentParser) -> None:
    """Add `--label`, which may be repeated."""
    command.add_argument(
        "--label",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="a label of the machine, such as mac=52:54:00:12:34:56; may be repeated",
    )


def parse_labels(labels: Sequence[str]) -> list[tuple[str, str]]:
    """Keys and values in order; a key may occur twice. Raises UsageError."""
    pairs = []
    for label in labels:
        key, equals, value = label.partition("=")
        if not key or not equals:
            raise UsageError(f"invalid --label {label!r}: use KEY=VALUE, such as mac=52:54:00:12:34:56")
        pairs.append((key, value))
    return pairs


def parse_address(flag: str, address: str) -> Address:
    """The address given for the flag. Raises UsageError."""
    host, separator, port = address.rpartition(":")
    if not separator or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise UsageError(f"{flag} {address!r} is not HOST:PORT")
    return Address(host.strip("[]") or "0.0.0.0", int(port))  # noqa: S104 (as matchbox reads `:8080`)
