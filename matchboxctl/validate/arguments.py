"""Arguments of `matchboxctl validate`."""

import argparse
from pathlib import Path

from matchboxctl.cli.arguments import MODES, Commands, add_command, add_data_path, add_flag, add_output

_EPILOG = (
    "Example: matchboxctl validate examples/talos. Exit codes: 0 no faults, perhaps notes, 1 faults, 2 wrong usage. "
)


def add_validate_command(commands: Commands) -> None:
    """Add `validate`."""
    parser = add_command(
        commands,
        "validate",
        "find what would keep machines from booting",
        ": documents that do not parse, unknown keys, absent profiles, templates and assets, templates that fail, "
        "addresses without a route, overlapping groups, placeholders. Nothing is written.",
        epilog=_EPILOG + MODES,
    )
    parser.add_argument(
        "directory", metavar="DIR", nargs="?", default="", help="the same as --data-path DIR, also in store mode"
    )
    add_data_path(parser)
    assets = "directory of the files below /assets/"
    add_flag(parser, "--assets-path", "DIR", assets, shown="assets/ in the data directory")
    add_output(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from matchboxctl.store.mode import chosen_store
    from matchboxctl.validate.command import run

    # A directory that is named is validated without AWS, whatever the environment selects.
    source = Path(options.directory) if options.directory else chosen_store(options.data_path)
    run(source, Path(options.assets_path) if options.assets_path else None, options.output)
