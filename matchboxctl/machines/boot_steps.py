"""The steps of a boot, as its events tell: what was done, what failed, and what cannot be seen."""

from collections.abc import Collection, Iterator, Sequence
from typing import Literal, NamedTuple

from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.machines.boots import Boot
from lambda_matchbox.machines.events import SCRIPTS, Event

StepName = Literal["script", "kernel", "initramfs", "configuration", "report"]
Outcome = Literal["done", "waits", "disk", "refused", "failed", "unseen", "open", "none"]
"""`unseen` is a step that must have been made, as a later one was; `none` is one that the profile has not."""

_CONFIGURATIONS = ("/ignition", "/cloud", "/generic")
_KERNELS = ("vmlinuz", "linux", "kernel", "bzimage")
_VERDICTS: dict[str, Outcome] = {"wait": "waits", "disk": "disk", "refuse": "refused"}
_ERRORS = 400


class Step(NamedTuple):
    """A step with its events, in order; `is_inferred` if it is not known but concluded that the machine made it."""

    name: StepName
    outcome: Outcome
    events: Sequence[Event]

    @property
    def is_inferred(self) -> bool:
        """Whether it is not known, but concluded from the address, that the machine made it."""
        return bool(self.events) and all(event.inferred for event in self.events)


def boot_steps(boot: Boot, profile: Profile | None) -> list[Step]:
    """The steps of the boot, of a machine that got this profile if it is known."""
    found: dict[StepName, list[Event]] = {
        "script": [],
        "kernel": [],
        "initramfs": [],
        "configuration": [],
        "report": [],
    }
    for event in boot.events:
        if (name := _step_of(event, profile)) is not None:
            found[name].append(event)
    return list(_outcomes(found, profile))


def _outcomes(found: dict[StepName, list[Event]], profile: Profile | None) -> Iterator[Step]:
    names = list(found)
    for at, name in enumerate(names):
        events = found[name]
        if events:
            yield Step(name, _outcome(events[-1]), events)
        elif profile is not None and _lacks(profile, name):
            yield Step(name, "none", events)
        else:
            yield Step(name, "unseen" if any(found[later] for later in names[at + 1 :]) else "open", events)


def _lacks(profile: Profile, name: StepName) -> bool:
    if name == "configuration":
        return not profile.template_ids
    return name == "initramfs" and profile.boot is not None and not profile.boot.initrd


def _outcome(event: Event) -> Outcome:
    if event.verdict in _VERDICTS:
        return _VERDICTS[event.verdict]
    return "failed" if event.status >= _ERRORS or event.reported == "failed" else "done"


def _step_of(event: Event, profile: Profile | None) -> StepName | None:
    if event.kind == "report":
        return "report"
    if event.kind == "asset":
        return _asset_step(event.what, profile)
    if event.kind != "request":
        return None
    route = event.what.removesuffix(".sig").removesuffix(".asc")
    if route in SCRIPTS:
        return "script"
    return "configuration" if route in _CONFIGURATIONS else None


def _asset_step(path: str, profile: Profile | None) -> StepName | None:
    name = path.rpartition("/")[2]
    if profile is not None and profile.boot is not None:
        if name == _file_name(profile.boot.kernel):
            return "kernel"
        if name in _file_names(profile.boot.initrd):
            return "initramfs"
    lower = name.lower()
    if any(word in lower for word in ("initr", "initramfs", "rootfs")):
        return "initramfs"
    return "kernel" if any(word in lower for word in _KERNELS) else None


def _file_names(addresses: Collection[str]) -> set[str]:
    # `--name initrd https://…` is written as well.
    return {_file_name(address) for address in addresses}


def _file_name(address: str) -> str:
    return address.split(" ")[-1].partition("?")[0].rpartition("/")[2]
