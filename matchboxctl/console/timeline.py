"""The picture of a machine's boots: a line for each, side by side, with a mark for each step."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple

from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.machines.boots import Boot
from matchboxctl.machines.boot_steps import Outcome, Step, boot_steps
from matchboxctl.machines.event_texts import duration, utc

STEPS = ("script", "kernel", "initramfs", "configuration", "report")

LEFT, TOP, COLUMN, LINE = 112, 56, 176, 56
"""Of the picture: widths of names and boots, heights of head and steps."""

_LETTERS = 22
"""In the room that a mark has."""

_WORDS: dict[Outcome, str] = {
    "done": "",
    "waits": "waits",
    "disk": "boots its disk",
    "refused": "refused",
    "failed": "failed",
    "unseen": "cannot be seen",
    "open": "",
    "none": "not in its profile",
}
_REACHED = ("done", "waits", "disk", "refused", "failed", "unseen", "none")


class Mark(NamedTuple):
    """A step in the picture: where, when, how long after the boot began, facts, address, and how it is read aloud."""

    step: Step
    y: int
    time: int
    took: str
    fact: str
    address: str
    spoken: str


class Line(NamedTuple):
    """A boot in the picture; `end` is where its line ends, `is_stuck` if it has not gone on since."""

    boot: Boot
    x: int
    marks: Sequence[Mark]
    end: int
    is_stuck: bool


class Timeline(NamedTuple):
    """The picture."""

    lines: Sequence[Line]
    width: int
    height: int


def timeline(boots: Sequence[Boot], profile_of: Callable[[str], Profile | None], sizes: Mapping[str, int]) -> Timeline:
    """The picture of the boots, the newest of which comes first; `sizes` are of files by their paths."""
    # Another release may have had other files.
    same = [boot.release == boots[0].release for boot in boots]
    lines = [_line(boot, at, profile_of, sizes if same[at] else {}) for at, boot in enumerate(boots)]
    return Timeline(lines, LEFT + COLUMN * len(lines), TOP + LINE * len(STEPS) + 8)


def _line(boot: Boot, at: int, profile_of: Callable[[str], Profile | None], sizes: Mapping[str, int]) -> Line:
    profile = next((event.profile for event in reversed(boot.events) if event.profile), "")
    steps = boot_steps(boot, profile_of(profile) if profile else None)
    marks = [_mark(step, TOP + LINE * number + 16, boot, sizes) for number, step in enumerate(steps)]
    reached = [mark for mark in marks if mark.step.outcome in _REACHED and mark.step.outcome != "none"]
    end = max((mark.y for mark in reached), default=marks[0].y)
    last = reached[-1].step.outcome if reached else "open"
    return Line(boot, LEFT + COLUMN * at + 12, marks, end, last in ("waits", "refused", "failed"))


def _mark(step: Step, y: int, boot: Boot, sizes: Mapping[str, int]) -> Mark:
    word = _WORDS[step.outcome]
    if not step.events:
        return Mark(step, y, 0, "", word, "", f"{step.name}: {word or 'not reached'}")
    first, last = step.events[0], step.events[-1]
    took = first.time - boot.start
    status = str(last.status or "")
    times = f"{len(step.events)} times" if len(step.events) > 1 else ""
    size = sum(sizes.get(path, 0) for path in {event.what for event in step.events if event.status == HTTPStatus.OK})
    facts = [*filter(None, (word, status, times, _megabytes(size), "inferred" if step.is_inferred else ""))]
    spoken = [f"{step.name} at {utc(first.time)}", *facts, last.reason, last.address]
    fact = next((text for text in _shorter(facts) if len(text) <= _LETTERS), "")
    address = last.address if len(last.address) <= _LETTERS else f"{last.address[: _LETTERS - 1]}…"
    when = f"+{duration(took)}" if took else ""
    return Mark(step, y, first.time, when, fact, address, ", ".join(filter(None, spoken)))


def _shorter(facts: Sequence[str]) -> Iterator[str]:
    """The facts as a text, and without those at the end."""
    return (", ".join(facts[:count]) for count in range(len(facts), 0, -1))


def _megabytes(size: int) -> str:
    return f"{max(size / 1e6, 0.1):.1f} MB" if size else ""
