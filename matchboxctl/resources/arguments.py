"""`matchboxctl group|profile|source|ignition|generic|cloud`, each with its verbs."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from matchboxctl.cli.commands import Group
from matchboxctl.cli.options import MODES, argument, completed_by, opened_by, option, output_option
from matchboxctl.store.advice import chosen_with_advice

if TYPE_CHECKING:
    from matchboxctl.resources.command import Target

_EXIT_CODES = "Exit codes: 0 success, 1 failure, 2 wrong usage, 4 no such {one}, 130 interrupted. "


class _Words(NamedTuple):
    """How help texts call a resource: one, with its kind, several, the placeholder of its id, and an example."""

    one: str
    one_of_kind: str
    several: str
    metavar: str
    example: str


_RESOURCES = {
    "group": _Words("group", "a group", "groups", "ID", "node1"),
    "profile": _Words("profile", "a profile", "profiles", "ID", "worker"),
    "source": _Words("source", "an image source", "image sources", "ID", "talos-arm64"),
    "ignition": _Words("template", "an Ignition template", "Ignition templates", "NAME", "worker.yaml"),
    "generic": _Words("template", "a generic template", "generic templates", "NAME", "join.sh"),
    "cloud": _Words("template", "a cloud-config template", "cloud-config templates", "NAME", "worker.yaml"),
}


def _resource(resource: str) -> Group:
    """The group of the resource's commands."""
    words = _RESOURCES[resource]
    epilog = _EXIT_CODES.format(one=words.one) + MODES
    commands = Group(
        resource, help=f"List, show, create and delete {words.several}.", epilog=epilog, subcommand_metavar="VERB ..."
    )

    def verb(
        name: str, help_text: str, *arguments: str, options: str = "[OPTIONS]"
    ) -> Callable[[Callable[..., Any]], click.Command]:
        example = " ".join(["matchboxctl", resource, name, *arguments])
        return commands.command(name, help=help_text, epilog=epilog, examples=[example], options_metavar=options)

    @contextmanager
    def _target(data_path: str, stack: str) -> Iterator["Target"]:
        from matchboxctl.resources.command import target_of

        with chosen_with_advice(data_path, stack) as store:
            yield target_of(resource, store)

    on_target = opened_by(_target)
    complete = completed_by(_target, lambda target, _: list(target.documents.names(target.resource.kind)), "names")
    name_argument = click.argument("name", metavar=words.metavar, shell_complete=complete)

    @verb("list", f"List all {words.several} as a table.")
    @on_target
    @output_option()
    def list_(target: "Target", output: str) -> None:
        from matchboxctl.resources.command import list_all

        list_all(target, output)

    @verb("describe", f"Show the details of {words.one_of_kind}.", words.example)
    @name_argument
    @on_target
    @output_option()
    def describe(target: "Target", name: str, output: str) -> None:
        from matchboxctl.resources.command import describe

        describe(target, name, output)

    @verb("get", f"Print the file of {words.one_of_kind}.", words.example)
    @name_argument
    @on_target
    @output_option("file")
    def get(target: "Target", name: str, output: str) -> None:
        from matchboxctl.resources.command import get

        get(target, name, output)

    is_template = words.one == "template"
    content = (
        f"a {words.one}, whose name is that of the file, or a directory of them"
        if is_template
        else f"JSON or YAML of any number of {words.several}, as `list -o` prints them, or a directory of such files"
    )

    @verb("create", f"Create or replace {words.several}.", "-f", "FILE", options="-f FILE [OPTIONS]")
    @option(
        "-f",
        "--file",
        "files",
        metavar="FILE",
        multiple=True,
        required=True,
        help=f"{content}; - is standard input. Nothing is written unless all of it is valid",
    )
    @argument("more", metavar="[FILE]...", nargs=-1)
    @on_target
    def create(target: "Target", files: Sequence[str], more: Sequence[str], name: str | None = None) -> None:
        from matchboxctl.resources.command import create

        create(target, [*files, *more], name)

    @verb("delete", f"Delete {words.several}.", words.example)
    @click.argument("names", metavar=f"{words.metavar}...", nargs=-1, required=True, shell_complete=complete)
    @on_target
    # Nothing refers to a group or a source.
    def delete(target: "Target", names: Sequence[str], *, yes: bool = False) -> None:
        from matchboxctl.resources.command import delete

        delete(target, names, yes=yes)

    if is_template:
        name_option = click.option(
            "--name", metavar="NEW_NAME", help="the template's name, unless it is that of the file"
        )
        name_option(create)
    if resource not in ("group", "source"):
        users = "groups" if resource == "profile" else "profiles"
        yes_option = click.option("--yes", is_flag=True, help=f"do not ask for confirmation if {users} refer to it")
        yes_option(delete)
    return commands


group = _resource("group")
profile = _resource("profile")
source = _resource("source")
ignition = _resource("ignition")
generic = _resource("generic")
cloud = _resource("cloud")
