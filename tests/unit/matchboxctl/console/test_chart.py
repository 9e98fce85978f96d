"""The chart of boots."""

import pytest

from matchboxctl.console.chart import BARS, Chart, chart
from matchboxctl.machines.boot_facts import BootFacts
from matchboxctl.machines.boot_figures import SPANS, Span, figures

NOW = 1_700_000_012_345


def drawn(span: Span, *boots: BootFacts, known: int = 0) -> Chart:
    return chart(figures(boots, span, NOW), span, known)


def test_bars_are_as_high_as_their_numbers() -> None:
    span = SPANS["hour"]
    since = span.since(NOW)
    boots = [BootFacts("m", since), *[BootFacts("m", since + 30 * 60_000, since)] * 4]
    begun, delivered, failed, _ = drawn(span, *boots).bands
    assert (5, 4, [("0.00%", 1, BARS / 4), ("50.00%", 4, BARS)]) == (
        begun.total,
        begun.most,
        [(bar.x, bar.number, bar.height) for bar in begun.bars],
    )
    # On one scale with those that began.
    assert [BARS] == [bar.height for bar in delivered.bars]
    assert (0, 0, []) == (failed.total, failed.most, failed.bars)
    assert begun.y < begun.bars[0].y < delivered.y


@pytest.mark.parametrize("span", SPANS.values(), ids=SPANS)
def test_time_axis_has_whole_hours_or_days_within_the_picture(span: Span) -> None:
    ticks = drawn(span).ticks
    assert 2 <= sum(not tick.is_minor for tick in ticks) <= 4
    assert all(tick.time % (600_000 if span.name == "hour" else 3_600_000) == 0 for tick in ticks)
    assert all(0 < float(tick.x.rstrip("%")) < 100 for tick in ticks)


def test_time_of_which_boots_may_lack_is_marked() -> None:
    span = SPANS["day"]
    assert "" == drawn(span).known
    assert "25.00%" == drawn(span, known=span.since(NOW) + span.length // 4).known
    assert "" == drawn(span, known=span.since(NOW) - 1).known
