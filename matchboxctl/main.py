"""The operator's command. Its flags are matchbox's: one dash or two; before the environment, before the default."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from matchboxctl.usage import UsageError

_LEVELS = ("critical", "error", "warning", "info", "debug")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; returns the exit code."""
    given = _with_two_dashes(sys.argv[1:] if arguments is None else arguments)
    options = _parser(os.environ).parse_args(given)
    try:
        _serve(options)
    except UsageError as error:
        print(f"matchboxctl: {error}", file=sys.stderr)
        return 2
    return 0


def _serve(options: argparse.Namespace) -> None:
    from matchboxctl.serve import ServeSettings, serve

    # argparse checks no default, and the environment's value is one.
    if options.log_level not in _LEVELS:
        raise UsageError(f"--log-level {options.log_level!r} is none of {', '.join(_LEVELS)}")
    data_path = Path(options.data_path)
    assets_path = Path(options.assets_path) if options.assets_path else data_path / "assets"
    serve(ServeSettings(options.address, data_path, assets_path, options.log_level))


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="matchboxctl", description="Network boot as matchbox does it, from a directory.", allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser(
        "serve",
        help="answer boot requests over HTTP from matchbox's data directory",
        description="Answer boot requests over HTTP from a data directory. An edit is seen by the next request.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    serve.add_argument(
        "--address",
        metavar="HOST:PORT",
        default=environment.get("MATCHBOX_ADDRESS") or "127.0.0.1:8080",
        help="where to listen (MATCHBOX_ADDRESS)",
    )
    serve.add_argument(
        "--data-path",
        metavar="DIR",
        default=environment.get("MATCHBOX_DATA_PATH") or "/var/lib/matchbox",
        help="directory with groups/, profiles/, ignition/, cloud/ and generic/ (MATCHBOX_DATA_PATH)",
    )
    serve.add_argument(
        "--assets-path",
        metavar="DIR",
        default=environment.get("MATCHBOX_ASSETS_PATH"),
        help="directory of the files below /assets/ (MATCHBOX_ASSETS_PATH); assets/ in the data directory unless given",
    )
    serve.add_argument(
        "--log-level",
        choices=_LEVELS,
        default=environment.get("MATCHBOX_LOG_LEVEL") or "info",
        help="least level that is logged, on standard error (MATCHBOX_LOG_LEVEL)",
    )
    return parser


def _with_two_dashes(arguments: Sequence[str]) -> list[str]:
    """Go's flags take one dash as well as two."""
    return [
        f"-{argument}" if len(argument) > 2 and argument[0] == "-" and argument[1].isalpha() else argument
        for argument in arguments
    ]


if __name__ == "__main__":
    sys.exit(main())
