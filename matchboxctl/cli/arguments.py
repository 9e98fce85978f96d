"""Arguments and help texts that commands share."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from lambda_matchbox.log_levels import LEVELS, log_level
from matchboxctl.cli.errors import UsageError
from matchboxctl.log.settings import FORMATS, LogSettings

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


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 (it has no public name)


class Address(NamedTuple):
    """A host without brackets, and a port; port 0 is any free one."""

    host: str
    port: int

    @property
    def text(self) -> str:
        """`HOST:PORT`, with brackets around an IPv6 address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def add_command(
    commands: Commands, name: str, summary: str, more: str = ".", *, epilog: str
) -> argparse.ArgumentParser:
    """Add a command; its description is the summary, followed by `more`."""
    description = f"{summary[0].upper()}{summary[1:]}{more}"
    return commands.add_parser(name, help=summary, description=description, epilog=epilog, allow_abbrev=False)


def variable(flag: str) -> str:
    """The environment variable of a flag: that of `--data-path` is MATCHBOX_DATA_PATH."""
    return "MATCHBOX_" + flag.removeprefix("--").replace("-", "_").upper()


def add_flag(
    parser: argparse.ArgumentParser, flag: str, metavar: str, what: str, default: str = "", *, shown: str = ""
) -> None:
    """Add a flag; without it the environment variable of its name counts. `shown` is the default in its help."""
    parser.add_argument(
        flag,
        metavar=metavar,
        default=os.environ.get(variable(flag)) or default,
        help=f"{what} ({variable(flag)}; default {shown or default})",
    )


def add_data_path(parser: argparse.ArgumentParser, what: str = "matchbox's data directory") -> None:
    """Add `--data-path`; the option `data_path` is empty if neither flag nor environment gives one."""
    add_flag(parser, "--data-path", "DIR", what, shown=DATA_PATH)


def add_output(parser: argparse.ArgumentParser, text: str = "table") -> None:
    """Add `-o`; `text` names the default, which is for people."""
    outputs = (text, "json", "yaml")
    parser.add_argument("-o", "--output", choices=outputs, default=text, help=f"the format (default {text})")


def check_data_path(path: Path) -> None:
    """Raise UsageError if the data directory does not exist."""
    if not path.is_dir():
        raise UsageError(f"{path} is not a directory: set --data-path to matchbox's data directory")


def add_log_flags(parser: argparse.ArgumentParser) -> None:
    """Add `--log-level` and `--log-format`."""
    levels = ", ".join(LEVELS)
    add_flag(parser, "--log-level", "LEVEL", f"lowest level of the log on standard error: {levels}", "info")
    what = "format of the log: text, short lines with colours unless NO_COLOR is set, or json"
    add_flag(parser, "--log-format", "FORMAT", what, shown="text on a terminal, json elsewhere")


def parse_log_settings(options: argparse.Namespace) -> LogSettings:
    """The level and the format. Raises UsageError."""
    if options.log_format not in ("", *FORMATS):
        raise UsageError(f"--log-format (MATCHBOX_LOG_FORMAT): {options.log_format!r} is not text or json")
    try:
        return LogSettings(log_level(options.log_level), options.log_format)
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
        raise UsageError(f"invalid {flag} {address!r}: use HOST:PORT")
    return Address(host.strip("[]") or "0.0.0.0", int(port))  # noqa: S104 (as matchbox reads `:8080`)
