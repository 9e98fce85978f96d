"""The line of a site."""

from math import inf

import pytest

from matchboxctl.plan.line import Line


def ends(line: Line) -> list[tuple[float, int]]:
    found = []
    while (at := line.next_end()) < inf:
        found.append((at, line.end(at)))
    return found


def test_downloads_share_the_line_equally() -> None:
    line = Line(10, 10)
    line.start(0, 1, 100)
    line.start(5, 2, 25)
    # From 5 s on each has 5 bytes a second; from 10 s on the first has the line for itself again.
    assert [(10, 2), (12.5, 1)] == ends(line)


def test_download_is_no_faster_than_its_machine() -> None:
    line = Line(1000, 10)
    line.start(0, 1, 100)
    line.start(0, 2, 50)
    assert [(5, 2), (10, 1)] == ends(line)


def test_bytes_a_second_are_those_of_the_line() -> None:
    line = Line(7, inf)
    for machine in range(50):
        line.start(machine * 0.1, machine, 70)
    assert pytest.approx(50 * 70 / 7) == ends(line)[-1][0]
