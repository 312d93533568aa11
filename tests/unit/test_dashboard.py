"""Each panel of the dashboard asks for metrics that exist, by labels that they have, and shows something."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.adapters.prometheus.metrics import METRICS, Kind
from app.entrypoints.documents.dashboard import document
from app.entrypoints.documents.dashboard_panels import SELECT
from tests.rigs import promtool

FILE = Path(__file__).resolve().parents[2] / "packaging/grafana/powerd.json"
DASHBOARD: dict[str, Any] = json.loads(document())
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
OF_THE_TARGET = {"instance", "job", "le"}
DECLARED = {metric.name: metric for metric in METRICS}


def exprs() -> Iterator[tuple[dict[str, Any], str, str]]:
    for panel in PANELS:
        for target in panel["targets"]:
            yield panel, target["expr"], target["legendFormat"]


def test_the_file_is_up_to_date() -> None:
    assert FILE.read_text() == document(), "run python -m app.entrypoints.documents.dashboard"


def metrics_of(expr: str) -> list[tuple[str, str]]:
    """Names in the query, each with the braces behind it."""
    return re.findall(r"(powerd_\w+)(\{[^}]*\})?", expr)


@pytest.mark.parametrize("title", [panel["title"] for panel in PANELS])
def test_a_panel_asks_for_metrics_and_labels_that_exist(title: str) -> None:
    for _, expr, legend in [each for each in exprs() if each[0]["title"] == title]:
        labels = set(OF_THE_TARGET)
        named = metrics_of(expr)
        assert named
        for name, braces in named:
            base = name.removesuffix("_bucket")
            metric = DECLARED[base]
            assert (metric.kind is Kind.HISTOGRAM) == name.endswith("_bucket")
            assert ("increase(" in expr or "rate(" in expr) == (metric.kind is not Kind.GAUGE)
            assert SELECT in braces, "the chosen nodes only"
            labels |= metric.labels.keys()
        used = set(re.findall(r"\{\{(\w+)\}\}", legend))
        for grouping in re.findall(r"(?:by|on|group_left) \(([^)]*)\)", expr):
            used |= {label.strip() for label in grouping.split(",")}
        assert used <= labels


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {name.removesuffix("_bucket") for _, expr, _ in exprs() for name, _ in metrics_of(expr)}
    assert DECLARED.keys() - shown == {"powerd_chain_head_block"}


def test_panels_have_places_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)


def test_it_is_bound_to_no_data_source_of_ours() -> None:
    sources = re.findall(r'"uid": "([^"]+)"', document())
    assert set(sources) == {"powerd", "${datasource}"}


def test_prometheus_understands_every_query(tmp_path: Path) -> None:
    promtool.needed()
    queries = [expr.replace("$__rate_interval", "5m").replace("$instance", ".*") for _, expr, _ in exprs()]
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    (tmp_path / "rules.yaml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool.run("check", "rules", str(tmp_path / "rules.yaml"))
