"""The commands on groups, profiles and templates: their arguments, and what they call."""

import argparse
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from matchboxctl.cli.arguments import add_data_path
from matchboxctl.store.advice import advising

if TYPE_CHECKING:
    from matchboxctl.resources.command import Place

_EXITS = "Exit codes: 0 done, 1 failed, 2 it cannot be done as asked, 4 there is no such {what}, 130 interrupted. "
_OUTPUTS = ("json", "yaml")


class _Words(NamedTuple):
    """How a resource is spoken of: one, several, and what a command names one by."""

    one: str
    several: str
    metavar: str


_RESOURCES = {
    "group": _Words("group", "groups", "ID"),
    "profile": _Words("profile", "profiles", "ID"),
    "ignition": _Words("template", "Ignition templates", "NAME"),
    "generic": _Words("template", "generic templates", "NAME"),
    "cloud": _Words("template", "cloud-config templates", "NAME"),
}


def add_resource_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", environment: Mapping[str, str], *, epilog: str
) -> None:
    """Add `group`, `profile`, `ignition`, `generic` and `cloud`, each with its verbs."""
    for resource, words in _RESOURCES.items():
        what = f"list, show, create and delete {words.several}"
        ending = _EXITS.format(what=words.one) + epilog
        parser = commands.add_parser(
            resource, help=what, description=f"{what[0].upper()}{what[1:]}.", epilog=ending, allow_abbrev=False
        )
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        _add_verbs(verbs, resource, words, environment, ending)


def _add_verbs(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]",
    resource: str,
    words: _Words,
    environment: Mapping[str, str],
    epilog: str,
) -> None:
    def verb(name: str, what: str, run: Callable[["Place", argparse.Namespace], None]) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = verbs.add_parser(
            name, help=what, description=f"{what[0].upper()}{what[1:]}.", epilog=epilog, allow_abbrev=False
        )
        add_data_path(made, environment, "matchbox's data directory")
        made.set_defaults(run=lambda options: _run(run, options), resource=resource)
        return made

    one = f"{'an' if resource == 'ignition' else 'a'} {resource if words.one == resource else f'{resource} template'}"
    listing = verb("list", f"list all {words.several}, as a table", _list)
    describing = verb("describe", f"show {one} to a reader", _describe)
    getting = verb("get", f"print {one} as its file has it", _get)
    for reading in (describing, getting):
        reading.add_argument("id", metavar=words.metavar, help=f"the {words.one}")
    for reading in (listing, describing, getting):
        reading.add_argument("-o", "--output", choices=_OUTPUTS, help="for programs, with all that is in it")
    creating = verb("create", f"add {words.several}, or replace those that are there", _create)
    is_template = words.one == "template"
    kind = "its name is that of the file" if is_template else "JSON or YAML, with its id"
    creating.add_argument(
        "-f",
        "--file",
        metavar="FILE",
        action="append",
        required=True,
        help=f"a {words.one}: {kind}; - is standard input; may be given several times",
    )
    if is_template:
        creating.add_argument("--name", metavar="NEW_NAME", help="the template's name, where it is not the file's")
    deleting = verb("delete", f"delete {words.several}", _delete)
    deleting.add_argument("ids", metavar=words.metavar, nargs="+", help=f"the {words.one}")
    if resource == "group":
        # Nothing names a group, and scripts need not know that.
        what = "taken for the sake of scripts: a group is deleted without a question"
    else:
        what = f"ask nothing where {'groups' if resource == 'profile' else 'profiles'} still name it"
    deleting.add_argument("--yes", action="store_true", help=what)


def _run(run: Callable[["Place", argparse.Namespace], None], options: argparse.Namespace) -> None:
    from matchboxctl.resources.command import place_of

    with advising():
        run(place_of(options.resource, options.data_path), options)


def _list(place: "Place", options: argparse.Namespace) -> None:
    from matchboxctl.resources.command import list_all

    list_all(place, options.output)


def _describe(place: "Place", options: argparse.Namespace) -> None:
    from matchboxctl.resources.command import describe

    describe(place, options.id, options.output)


def _get(place: "Place", options: argparse.Namespace) -> None:
    from matchboxctl.resources.command import get

    get(place, options.id, options.output)


def _create(place: "Place", options: argparse.Namespace) -> None:
    from matchboxctl.resources.command import create

    create(place, options.file, getattr(options, "name", None))


def _delete(place: "Place", options: argparse.Namespace) -> None:
    from matchboxctl.resources.command import delete

    delete(place, options.ids, yes=options.yes)
