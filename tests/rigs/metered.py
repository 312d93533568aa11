"""A virtual node with metrics, and the metrics as numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property

from dependency_injector import providers
from prometheus_client.parser import text_string_to_metric_families

from app.adapters.prometheus.instruments import Instruments
from app.adapters.prometheus.monitor import Monitor
from app.adapters.prometheus.telemetry import PrometheusTelemetry
from app.adapters.telemetry.fan_out import FanOut
from app.entrypoints.wiring.prometheus import monitor
from tests.rigs.virtual_farm import VirtualNode


@dataclass(frozen=True)
class Samples:
    """The samples of a scrape, by name and labels."""

    of: dict[str, dict[frozenset[tuple[str, str]], float]]

    @classmethod
    def read(cls, text: str) -> Samples:
        found: dict[str, dict[frozenset[tuple[str, str]], float]] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
        return cls(found)

    def __call__(self, name: str, **labels: str) -> float | None:
        """The one sample with at least these labels; None without one."""
        wanted = labels.items()
        values = [value for has, value in self.of.get(name, {}).items() if wanted <= has]
        assert len(values) < 2, f"{name}{labels} is not one sample"
        return values[0] if values else None


class Metered:
    """The metrics of a node's daemon. Make it before the node runs."""

    def __init__(self, node: VirtualNode) -> None:
        self._instruments = Instruments()
        self._node = node
        self._clock = node.container.clock()
        telemetry = FanOut([node.telemetry, PrometheusTelemetry(self._instruments, self._clock)])
        node.container.telemetry.override(providers.Object(telemetry))

    @cached_property
    def monitor(self) -> Monitor:
        seen = monitor(self._node.container.operator(), self._node.container.progress(), self._instruments, self._clock)
        assert seen is not None
        return seen

    def scrape(self) -> Samples:
        return Samples.read(self.monitor.text().decode())

    def health(self) -> tuple[int, list[str]]:
        """The answer of /healthz: its status, and what is wrong."""
        page = self.monitor.health()
        told = json.loads(page.body)
        assert told["healthy"] is (page.status == 200)
        assert all(problem["why"] and problem["remedy"] for problem in told["problems"])
        return page.status, [problem["what"] for problem in told["problems"]]
