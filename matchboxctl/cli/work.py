"""How far a piece of work has got, in figures."""

BYTES = "bytes"
"""The unit that is shown with a speed, and as kB, MB or GB."""

_UNITS = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


class Work:
    """A piece of work, what is done of it and of how much: `total` is 0 where that is not known."""

    def __init__(self, what: str, total: int, unit: str, done: int) -> None:
        self.what = what
        self.total = total
        self.unit = unit
        self.done = done

    def figures(self, speed: float | None) -> list[str]:
        """`120.4/310.2 MB`, and of bytes that arrive at a known speed `12.1 MB/s` and `0:16 left`."""
        done, total = self.done, self.total
        if self.unit != BYTES:
            return [f"{done:,}{f'/{total:,}' if total else ''} {self.unit}"]
        # A unit of which there are ten: with one decimal, every percent shows.
        factor, unit = _unit((total or done) / 10)
        shown = [f"{done / factor:,.1f}{f'/{total / factor:,.1f}' if total else ''} {unit}"]
        if speed:
            factor, unit = _unit(speed)
            shown.append(f"{speed / factor:,.1f} {unit}/s")
            if total > done:
                minutes, seconds = divmod(round((total - done) / speed), 60)
                shown.append(f"{minutes}:{seconds:02} left")
        return shown


def _unit(size: float) -> tuple[int, str]:
    """The largest unit that is not above the size."""
    return next((unit for unit in _UNITS if size >= unit[0]), (1, BYTES))
