"""The declared metrics as the client library's objects, in a registry of their own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

from app.adapters.libraries.left_out import left_out, unused
from app.adapters.prometheus.metrics import METRICS, Kind, Metric

UNUSED = ("gzip", "http.server", "socketserver", "urllib.error", "urllib.request", "wsgiref.simple_server")
"""What only the library's own servers and its push gateway need."""

with left_out("prometheus_client", unused(*UNUSED)):
    from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
    from prometheus_client.exposition import generate_latest
    from prometheus_client.metrics_core import GaugeMetricFamily
    from prometheus_client.registry import Collector


class Instruments:
    """Counters whose labels are known ahead start at 0, so that their first step shows; gauges start with no sample."""

    def __init__(self, metrics: Sequence[Metric] = METRICS) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._counters = {each: self._counter(each) for each in metrics if each.kind is Kind.COUNTER}
        self._histograms = {each: self._histogram(each) for each in metrics if each.kind is Kind.HISTOGRAM}
        self._gauges = _Gauges([each for each in metrics if each.kind is Kind.GAUGE])
        self._registry.register(self._gauges)

    def count(self, metric: Metric, *labels: str, by: int = 1) -> None:
        counter = self._counters[metric]
        (counter.labels(*labels) if labels else counter).inc(by)

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        histogram = self._histograms[metric]
        (histogram.labels(*labels) if labels else histogram).observe(value)

    def show(self, metric: Metric, samples: Mapping[tuple[str, ...], float]) -> None:
        """A gauge has these samples from now on, by the values of its labels, and no others."""
        self._gauges.samples[metric] = samples

    def text(self) -> bytes:
        return generate_latest(self._registry)

    def _counter(self, metric: Metric) -> Counter:
        counter = Counter(metric.name, metric.says, tuple(metric.labels), registry=self._registry)
        if metric.labels and all(metric.labels.values()):
            for labels in itertools.product(*metric.labels.values()):
                counter.labels(*labels)
        return counter

    def _histogram(self, metric: Metric) -> Histogram:
        return Histogram(
            metric.name, metric.says, tuple(metric.labels), registry=self._registry, buckets=metric.buckets
        )


class _Gauges(Collector):
    """The library's own gauge without labels is 0 from the start, which would call an unknown target Down."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self.samples: dict[Metric, Mapping[tuple[str, ...], float]] = {each: {} for each in metrics}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for metric, samples in self.samples.items():
            family = GaugeMetricFamily(metric.name, metric.says, labels=tuple(metric.labels))
            for labels, value in samples.items():
                family.add_metric(labels, value)
            yield family
