"""What an operator can do with a machine: what each form says, and the command that does the same."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.machines.identities import Identities

WINDOWS = ("30m", "2h", "24h", "7d")
"""For which a machine can be armed."""


class Form(NamedTuple):
    """An action, its title, what it does, and the flags of its command; `is_urgent` if the machine needs it.

    `hidden` are values that the form sends.
    """

    action: str
    title: str
    does: str
    flags: Sequence[str] = ()
    is_urgent: bool = False
    hidden: Mapping[str, str] = MappingProxyType({})


def forms(facts: Mapping[str, Any], group: Group | None) -> list[Form]:
    """The forms that make sense for a machine of this group, those that it needs first."""
    return sorted(_forms(facts["state"], group), key=lambda form: not form.is_urgent)


def _forms(state: str, group: Group | None) -> Iterator[Form]:
    if state in ("waiting", "unknown"):
        # Its identities alone may select no group.
        flags = ("--group", group.id) if group else ()
        done = (
            f"Lets it install as a machine of group {group.id}."
            if group
            else "Lets it install as a machine of any group."
        )
        hidden = {"group": group.id} if group else {}
        yield Form("approve", "Approve", done, flags, state == "waiting", hidden)
    if group is None or set(Identities._fields).isdisjoint(group.selector):
        done = "Creates a group that selects this machine alone, with the profile that you name."
        yield Form("accept", "Accept as a group", done, ("--profile", "PROFILE"), state == "unknown")
    if state in ("installed", "installing", "ready"):
        done = "Lets it install again at its next network boot within this time. Its older tokens end."
        yield Form("arm", "Arm", done, ("--for", "TIME"))
    if state == "held":
        done = "Answers it again. Its older tokens stay ended."
        yield Form("unhold", "Unhold", done, is_urgent=True)
    else:
        yield Form("hold", "Hold", "Gives it nothing until it is unheld.")
    done = "Deletes its history. With its state, it installs again at its next network boot."
    yield Form("forget", "Forget", done)
