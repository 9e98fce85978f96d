"""The operator's command. Its flags are matchbox's: one dash or two; before the environment, before the default."""

import argparse
import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from io import TextIOWrapper
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.log_levels import LEVELS, log_level
from matchboxctl.certs.arguments import add_certs_command
from matchboxctl.check.arguments import add_check_command
from matchboxctl.cli.arguments import DATA_PATH, add_data_path
from matchboxctl.cli.errors import CommandError, UsageError
from matchboxctl.cli.extras import missing_extra
from matchboxctl.completion.arguments import add_completion_command
from matchboxctl.releases.arguments import add_source_commands
from matchboxctl.render.arguments import add_render_command
from matchboxctl.resources.arguments import add_resource_commands
from matchboxctl.rpc.arguments import DEFAULT_ADDRESS, add_rpc_arguments, rpc_settings

if TYPE_CHECKING:
    from matchboxctl.store.mode import StoreSettings

_MODES = (
    "With MATCHBOX_TABLE and MATCHBOX_BUCKET set, a DynamoDB table and an S3 bucket are the truth (store mode), on AWS "
    "or on AWS_ENDPOINT_URL_DYNAMODB and AWS_ENDPOINT_URL_S3; else a data directory is."
)
_ONE_DASH = re.compile(r"-[^\W\d_].")
_ONE_LETTER = re.compile(r"-[a-z]=.*|-o(?:json|yaml)", re.DOTALL)
_STORES = (
    "MATCHBOX_TABLE and MATCHBOX_BUCKET name table and bucket, on AWS or on AWS_ENDPOINT_URL_DYNAMODB and "
    "AWS_ENDPOINT_URL_S3."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; returns the exit code."""
    if isinstance(sys.stdout, TextIOWrapper):
        # The name of a file need not be UTF-8.
        sys.stdout.reconfigure(errors="backslashreplace")
    given = _with_two_dashes(sys.argv[1:] if arguments is None else arguments)
    parser = _parser(os.environ)
    if "_ARGCOMPLETE" in os.environ:
        from matchboxctl.completion.complete import complete

        complete(parser)
    options = parser.parse_args(given)
    try:
        options.run(options)
    except CommandError as error:
        print(f"matchboxctl: {error}", file=sys.stderr)
        return error.code
    except MatchboxError as error:
        # What commands on table and bucket have not explained better.
        print(f"matchboxctl: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        message = missing_extra(error)
        if message is None:
            raise
        print(f"matchboxctl: {message}", file=sys.stderr)
        return UsageError.code
    except BrokenPipeError:
        # `| head` has read enough; nothing more shall be written when this ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        print("matchboxctl: interrupted; the same command again goes on from here", file=sys.stderr)
        return 130
    return 0


def _serve(options: argparse.Namespace) -> None:
    from matchboxctl.serve.backends import Directories
    from matchboxctl.serve.command import ServeSettings, serve
    from matchboxctl.serve.key_ring import unlocked_key
    from matchboxctl.store.mode import StoreSettings, store_settings

    level = _log_level(options)
    source: Directories | StoreSettings | None = store_settings(os.environ, options.data_path)
    if source is None:
        data_path = Path(options.data_path or DATA_PATH)
        source = Directories(data_path, _assets_path(options.assets_path) or data_path / "assets")
    elif options.assets_path:
        raise UsageError(
            "MATCHBOX_TABLE and MATCHBOX_BUCKET ask for table and bucket, whose assets --assets-path "
            f"(MATCHBOX_ASSETS_PATH) {options.assets_path!r} is not: unset one of them"
        )
    # matchbox takes the passphrase from the environment only.
    passphrase = os.environ.get("MATCHBOX_PASSPHRASE", "")
    key = unlocked_key(options.key_ring_path, passphrase) if options.key_ring_path else None
    serve(ServeSettings(options.address, level, source, rpc_settings(options), options.sync, key))


def _log_level(options: argparse.Namespace) -> str:
    """The level that was asked for. Raises UsageError."""
    try:
        return log_level(options.log_level)
    except ValueError as error:
        raise UsageError(f"--log-level (MATCHBOX_LOG_LEVEL): {error}") from error


def _assets_path(given: str | None) -> Path | None:
    """The directory of the assets that was asked for, if any: that one has to be there. Raises UsageError."""
    if not given:
        return None
    # isdir: a directory that cannot be looked for is none either.
    if not os.path.isdir(given):  # noqa: PTH112
        raise UsageError(f"--assets-path (MATCHBOX_ASSETS_PATH) {given!r} is no directory")
    return Path(given)


def _init(options: argparse.Namespace) -> None:
    from matchboxctl.store.init import init

    init(_stores(options))


def _import(options: argparse.Namespace) -> None:
    from matchboxctl.transfer.importing import import_directory

    import_directory(_stores(options), Path(options.directory), prune=options.prune, dry_run=options.dry_run)


def _export(options: argparse.Namespace) -> None:
    from matchboxctl.transfer.exporting import export_directory

    export_directory(_stores(options), Path(options.directory), prune=options.prune, dry_run=options.dry_run)


def _fsck(options: argparse.Namespace) -> None:
    from matchboxctl.store.fsck import fsck

    fsck(_stores(options), repair=options.repair)


def _rpc(options: argparse.Namespace) -> None:
    from matchboxctl.rpc.command import rpc

    settings = rpc_settings(options)
    if settings is None:
        raise UsageError("--rpc-address is empty: name HOST:PORT")
    rpc(_stores(options), settings, _log_level(options))


def _stores(options: argparse.Namespace) -> "StoreSettings":
    """The settings of store mode, for a command that knows no other."""
    from matchboxctl.store.mode import store_settings

    found = store_settings(os.environ, os.environ.get("MATCHBOX_DATA_PATH"))
    if found is None:
        raise UsageError(f"{options.command} works on table and bucket: set MATCHBOX_TABLE and MATCHBOX_BUCKET")
    return found


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="matchboxctl", description="Network boot as matchbox does it.", epilog=_MODES, allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser(
        "serve",
        help="answer boot requests over HTTP",
        description="Answer boot requests over HTTP. An edit of the data directory is seen by the next request.",
        epilog=_MODES,
        allow_abbrev=False,
    )
    serve.set_defaults(run=_serve)
    _add_store_commands(commands)
    add_source_commands(commands, environment, epilog=_MODES)
    add_resource_commands(commands, environment, epilog=_MODES)
    add_completion_command(commands)
    add_check_command(commands)
    add_certs_command(commands, environment)
    add_render_command(commands, environment, epilog=_MODES)
    serve.add_argument(
        "--address",
        metavar="HOST:PORT",
        default=environment.get("MATCHBOX_ADDRESS") or "127.0.0.1:8080",
        help="where to listen (MATCHBOX_ADDRESS; else 127.0.0.1:8080)",
    )
    add_data_path(serve, environment, "directory with groups/, profiles/, ignition/, cloud/, generic/")
    serve.add_argument(
        "--assets-path",
        metavar="DIR",
        default=environment.get("MATCHBOX_ASSETS_PATH"),
        help="directory of the files below /assets/ (MATCHBOX_ASSETS_PATH); assets/ in the data directory unless given",
    )
    serve.add_argument(
        "--key-ring-path",
        metavar="FILE",
        default=environment.get("MATCHBOX_KEY_RING_PATH"),
        help="OpenPGP key ring whose first key signs, for .sig and .asc (MATCHBOX_KEY_RING_PATH; passphrase in "
        "MATCHBOX_PASSPHRASE)",
    )
    serve.add_argument(
        "--sync",
        action="store_true",
        help="sync the image sources at the start and at their intervals",
    )
    add_rpc_arguments(serve, environment, "")
    rpc = commands.add_parser(
        "rpc",
        help="let Terraform and bootcmd edit table and bucket, over gRPC",
        description="Serve matchbox's gRPC API on table and bucket, with the AWS credentials of whoever runs this: "
        "beside Terraform, on the same machine. Clients need a certificate (matchboxctl certs).",
        epilog=_STORES,
        allow_abbrev=False,
    )
    rpc.set_defaults(run=_rpc)
    add_rpc_arguments(rpc, environment, DEFAULT_ADDRESS)
    for command in (serve, rpc):
        command.add_argument(
            "--log-level",
            metavar="LEVEL",
            default=environment.get("MATCHBOX_LOG_LEVEL") or "info",
            help=f"least level that is logged, on standard error: {', '.join(LEVELS)} (MATCHBOX_LOG_LEVEL; else info)",
        )
    return parser


def _add_store_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    init = commands.add_parser(
        "init",
        help="make table and bucket, where no stack makes them",
        description="Make the DynamoDB table and the S3 bucket that are not there yet, and let long answers expire.",
        epilog=_STORES,
        allow_abbrev=False,
    )
    init.set_defaults(run=_init)
    directory = {
        "import": ("a matchbox data directory into table and bucket", "the table and the bucket", _import),
        "export": ("table and bucket into a matchbox data directory", "the directory", _export),
    }
    for name, (what, truth, run) in directory.items():
        command = commands.add_parser(
            name,
            help=what,
            description=f"Take {what}: groups, profiles, templates and assets. Only what differs is written, and the "
            "command may be interrupted and run again.",
            epilog=_STORES,
            allow_abbrev=False,
        )
        command.add_argument("directory", metavar="DIR", help="matchbox's data directory")
        command.add_argument(
            "--prune", action="store_true", help=f"remove from {truth} what the other side does not have"
        )
        command.add_argument("--dry-run", action="store_true", help="print what would change, and change nothing")
        command.set_defaults(run=run)
    fsck = commands.add_parser(
        "fsck",
        help="find what is wrong with table and bucket",
        description="Find what is wrong with table and bucket, while machines ask and others write. Ends with 1 where "
        "damage remains.",
        epilog=_STORES,
        allow_abbrev=False,
    )
    fsck.add_argument("--repair", action="store_true", help="repair what can be repaired, and remove garbage")
    fsck.set_defaults(run=_fsck)


def _with_two_dashes(arguments: Sequence[str]) -> list[str]:
    """Go's flags take one dash as well as two; those of one letter may have their value right behind."""
    flags = list(takewhile(lambda argument: argument != "--", arguments))
    return [
        f"-{argument}" if _ONE_DASH.match(argument) and not _ONE_LETTER.fullmatch(argument) else argument
        for argument in flags
    ] + [*arguments[len(flags) :]]


if __name__ == "__main__":
    sys.exit(main())
