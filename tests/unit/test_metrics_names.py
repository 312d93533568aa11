"""The declared metrics follow Prometheus' conventions, whatever is added."""

from __future__ import annotations

import re

import pytest

from app.adapters.prometheus.instruments import Instruments
from app.adapters.prometheus.metrics import METRICS, Kind, Metric

UNITS = ("seconds", "total", "info", "up", "enabled", "block", "fault", "healthy", "holds", "running")
"""Base units, and what has none."""


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_name_is_a_prometheus_name_with_a_base_unit(metric: Metric) -> None:
    assert re.fullmatch(r"powerd_[a-z]+(_[a-z]+)*", metric.name)
    assert metric.name.rpartition("_")[2] in UNITS
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
    assert metric.name.endswith("_seconds") or metric.kind is not Kind.HISTOGRAM
    assert all(re.fullmatch(r"[a-z]+", label) for label in metric.labels)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_it_says_in_a_sentence_what_it_is(metric: Metric) -> None:
    assert metric.says[0].isupper() or metric.says[0].isdigit()
    assert metric.says.endswith(".")
    assert list(metric.buckets) == sorted(set(metric.buckets))
    assert bool(metric.buckets) == (metric.kind is Kind.HISTOGRAM)


def test_no_name_is_there_twice_and_all_are_in_the_text() -> None:
    names = [metric.name for metric in METRICS]
    assert len(names) == len(set(names)) > 20
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", Instruments().text().decode(), re.MULTILINE))
    assert types == {metric.name: metric.kind.value for metric in METRICS}


def test_counters_with_known_labels_are_there_from_the_start_and_gauges_are_not() -> None:
    text = Instruments().text().decode()
    assert 'powerd_events_total{outcome="dead"} 0.0' in text
    assert "\npowerd_power_target_up" not in text
