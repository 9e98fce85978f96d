"""Arguments of the commands on groups, profiles, templates and image sources."""

import argparse
from typing import NamedTuple

from matchboxctl.cli.arguments import MODES, Commands, add_command, add_data_path, add_output
from matchboxctl.store.advice import advising

_EXIT_CODES = "Exit codes: 0 success, 1 failure, 2 wrong usage, 4 no such {one}, 130 interrupted. "


class _Words(NamedTuple):
    """How help texts call a resource: one, with its kind, several, and the placeholder of its id or name."""

    one: str
    one_of_kind: str
    several: str
    metavar: str


_RESOURCES = {
    "group": _Words("group", "a group", "groups", "ID"),
    "profile": _Words("profile", "a profile", "profiles", "ID"),
    "source": _Words("source", "an image source", "image sources", "ID"),
    "ignition": _Words("template", "an Ignition template", "Ignition templates", "NAME"),
    "generic": _Words("template", "a generic template", "generic templates", "NAME"),
    "cloud": _Words("template", "a cloud-config template", "cloud-config templates", "NAME"),
}


def add_resource_commands(commands: Commands) -> None:
    """Add `group`, `profile`, `source`, `ignition`, `generic` and `cloud`, each with its verbs."""
    for resource, words in _RESOURCES.items():
        epilog = _EXIT_CODES.format(one=words.one) + MODES
        parser = add_command(commands, resource, f"list, show, create and delete {words.several}", epilog=epilog)
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        _add_verbs(verbs, resource, words, epilog)


def _add_verbs(verbs: Commands, resource: str, words: _Words, epilog: str) -> None:
    def verb(name: str, what: str) -> argparse.ArgumentParser:
        parser = add_command(verbs, name, what, epilog=epilog)
        add_data_path(parser)
        parser.set_defaults(run=_run, resource=resource)
        return parser

    is_template = words.one == "template"
    listing = verb("list", f"list all {words.several} as a table")
    describing = verb("describe", f"show the details of {words.one_of_kind}")
    getting = verb("get", f"print the file of {words.one_of_kind}")
    for reading in (describing, getting):
        reading.add_argument("id", metavar=words.metavar, help=f"the {words.one}")
    for reading in (listing, describing):
        add_output(reading)
    add_output(getting, "file")
    creating = verb("create", f"create or replace {words.several}")
    content = (
        f"a {words.one}, whose name is that of the file, or a directory of them"
        if is_template
        else f"JSON or YAML of any number of {words.several}, as `list -o` prints them, or a directory of such files"
    )
    creating.add_argument(
        "-f",
        "--file",
        metavar="FILE",
        action="extend",
        nargs="+",
        required=True,
        help=f"{content}; - is standard input. Nothing is written unless all of it is valid",
    )
    if is_template:
        creating.add_argument("--name", metavar="NEW_NAME", help="the template's name, unless it is that of the file")
    deleting = verb("delete", f"delete {words.several}")
    deleting.add_argument("ids", metavar=words.metavar, nargs="+", help=f"the {words.one}")
    # Nothing refers to a group or a source.
    deleting.set_defaults(yes=False)
    if resource not in ("group", "source"):
        users = "groups" if resource == "profile" else "profiles"
        deleting.add_argument("--yes", action="store_true", help=f"do not ask for confirmation if {users} refer to it")


def _run(options: argparse.Namespace) -> None:
    from matchboxctl.resources.command import VERBS, target_of

    with advising():
        VERBS[options.verb](target_of(options.resource, options.data_path), options)
