"""The chart of boots: a band of bars for each kind of number, over one time, in the pixels and percents of an SVG."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from matchboxctl.machines.boot_figures import Figures, Part, Span

BAND, TOP, BARS = 92, 28, 52
"""Heights in pixels: of a band, of its words above its bars, and of the greatest bar."""

_AXIS = 26
_FILLED = 0.8
_LEAST, _MOST = 7, 92
_LEAST_NARROW, _MOST_NARROW = 13, 80

# Between two words at the time axis.
_TICKS = {"hour": 10 * 60_000, "day": 4 * 3_600_000, "week": 24 * 3_600_000}


class Bar(NamedTuple):
    """A number of a part of the time; x and width are in percent."""

    x: str
    width: str
    y: float
    height: float
    number: int
    start: int


class Band(NamedTuple):
    """The bars of one kind, what they count, how many in all, and the greatest number."""

    kind: str
    name: str
    total: int
    most: int
    y: int
    bars: Sequence[Bar]


class Tick(NamedTuple):
    """A moment of the time axis, at so many percent; some are left out where there is little room."""

    x: str
    time: int
    is_minor: bool


class Chart(NamedTuple):
    """The picture; the time before `known` percent may lack boots."""

    span: Span
    bands: Sequence[Band]
    ticks: Sequence[Tick]
    known: str
    height: int


def chart(figures: Figures, span: Span, known_since: int) -> Chart:
    """The chart of the figures, of which those before a moment may lack boots."""
    parts = figures.parts
    boots = max(max(part.begun, part.delivered) for part in parts)
    kinds = (
        ("begun", "Boots begun", sum(part.begun for part in parts), boots),
        ("delivered", "Configurations delivered", sum(part.delivered for part in parts), boots),
        ("failed", "Failing steps", sum(part.failed for part in parts), 0),
        ("waited", "Machines that waited", figures.waited, 0),
    )
    bands = [_band(number, *kind, parts) for number, kind in enumerate(kinds)]
    height = BAND * len(bands) + _AXIS
    known = max(0.0, min(100.0, 100 * (known_since - parts[0].start) / span.length))
    return Chart(span, bands, [*_ticks(span, parts[0].start)], f"{known:.2f}%" if known else "", height)


def _band(number: int, kind: str, name: str, total: int, scale: int, parts: Sequence[Part]) -> Band:
    numbers = [getattr(part, kind) for part in parts]
    most = max(numbers)
    slot = 100 / len(parts)
    bars = [
        _bar(at * slot, slot * _FILLED, BAND * number + TOP, found / (scale or most), found, part.start)
        for at, (part, found) in enumerate(zip(parts, numbers, strict=True))
        if found
    ]
    return Band(kind, name, total, most, BAND * number, bars)


def _bar(x: float, width: float, top: int, share: float, number: int, start: int) -> Bar:
    height = max(2, round(BARS * share, 1))
    return Bar(f"{x:.2f}%", f"{width:.2f}%", top + BARS - height, height, number, start)


def _ticks(span: Span, start: int) -> Iterator[Tick]:
    step = _TICKS[span.name]
    first = start // step + 1
    for number, time in enumerate(range(first * step, start + span.length, step)):
        x = 100 * (time - start) / span.length
        if _LEAST <= x <= _MOST:
            yield Tick(f"{x:.2f}%", time, bool(number % 2) or not _LEAST_NARROW <= x <= _MOST_NARROW)
