"""Metrics of what is stored."""

from collections.abc import Callable

import pytest
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from lambda_matchbox.errors import StoreUnavailableError
from matchboxctl.serve.state_metrics import StateMetrics


def part(name: str) -> Callable[[], Metric]:
    """A part whose value counts how often it was read."""
    reads = iter(range(1, 99))
    return lambda: GaugeMetricFamily(name, "reads", next(reads))


def unreadable() -> Metric:
    raise StoreUnavailableError("the table is away")


def values(metrics: StateMetrics) -> dict[str, float]:
    return {metric.name: metric.samples[0].value for metric in metrics.collect()}


def test_what_was_just_read_is_not_read_again() -> None:
    metrics = StateMetrics([part("a")], pytest.fail)
    assert [{"a": 1}] * 2 == [values(metrics), values(metrics)]


def test_what_was_read_long_ago_is_read_again() -> None:
    metrics = StateMetrics([part("a")], pytest.fail, seconds=0)
    assert [{"a": 1}, {"a": 2}] == [values(metrics), values(metrics)]


def test_what_cannot_be_read_is_left_out_and_said_once() -> None:
    lines: list[str] = []
    metrics = StateMetrics([unreadable, part("a")], lines.append, seconds=0)
    assert [{"a": 1}, {"a": 2}] == [values(metrics), values(metrics)]
    assert 1 == len(lines)
    assert "the table is away" in lines[0]
