"""A picture of storms: how many machines had booted when, as an SVG."""

from collections.abc import Sequence
from html import escape
from math import ceil

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 720, 320, 70, 36, 20, 64
_COLOURS = ("#0b6bcb", "#c2410c", "#15803d", "#7e22ce", "#a16207")
_POINTS, _LEGEND = 200, 18


def picture(title: str, curves: Sequence[tuple[str, Sequence[float]]], machines: int) -> str:
    """Curves of sorted seconds at which machines had booted, each with its name."""
    end = max((times[-1] for _, times in curves if times), default=1.0) or 1.0
    unit, name = (60, "minutes") if end > 180 else (1, "seconds")
    height = _HEIGHT + _LEGEND * len(curves)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif">',
        "<style>text { font-size: 12px }</style>",
        f"<title>{escape(title)}</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="20">{escape(title)}</text>',
    ]
    for quarter in range(5):
        y = _y(quarter / 4)
        parts += [
            f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}" stroke="#d4d4d4"/>',
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{machines * quarter / 4:,.0f}</text>',
        ]
    for at in range(0, int(end / unit) + 1, ceil(end / unit / 6)):
        x = _x(at * unit / end)
        parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">{at:,}</text>')
    for number, (label, times) in enumerate(curves):
        colour = _COLOURS[number % len(_COLOURS)]
        shown = sorted({round(place * (len(times) - 1) / _POINTS) for place in range(_POINTS + 1)}) if times else []
        points = [(times[0], 0), *((times[place], place + 1) for place in shown)] if times else [(0.0, 0)]
        points.append((end, len(times)))
        line = " ".join(f"{_x(at / end):.1f},{_y(count / machines):.1f}" for at, count in points)
        y = _HEIGHT + _LEGEND * number
        parts += [
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>',
            f'<text x="{_LEFT}" y="{y}" fill="{colour}">{escape(label)}: {len(times):,}</text>',
        ]
    parts += [
        f'<text x="{_WIDTH / 2}" y="{_HEIGHT - _BOTTOM + 34}" text-anchor="middle">{name} after power came back</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _x(part: float) -> float:
    return _LEFT + part * (_WIDTH - _LEFT - _RIGHT)


def _y(part: float) -> float:
    return _HEIGHT - _BOTTOM - part * (_HEIGHT - _TOP - _BOTTOM)
