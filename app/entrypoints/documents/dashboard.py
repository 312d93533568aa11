"""Writes the dashboard for Grafana: ``python -m app.entrypoints.documents.dashboard``.

First the whole farm, then one node: what it knows, what it does, what is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.entrypoints.documents.dashboard_panels import ROWS, Panel

WIDTH = 24
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


def document() -> str:
    panels: list[dict[str, Any]] = []
    y = 0
    for row in ROWS:
        heading = {"type": "row", "title": row.title, "collapsed": False, "panels": []}
        panels.append({**heading, "id": len(panels) + 1, "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1}})
        y += 1
        x = 0
        for panel in row.panels:
            if x + panel.width > WIDTH:
                x, y = 0, y + panel.height
            at = {"x": x, "y": y, "w": panel.width, "h": panel.height}
            panels.append({**_panel(panel), "id": len(panels) + 1, "gridPos": at})
            x += panel.width
        y += row.panels[-1].height
    return json.dumps(_dashboard(panels), indent=2, ensure_ascii=False) + "\n"


def _panel(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.red_from is not None:
        steps.append({"color": "red", "value": panel.red_from})
    table = panel.view == "table"
    made = {
        "type": panel.view,
        "title": panel.title,
        "description": panel.says,
        "datasource": DATASOURCE,
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "mappings": list(panel.mappings),
                "thresholds": {"mode": "absolute", "steps": steps},
            },
            "overrides": [],
        },
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": DATASOURCE,
                "expr": expr,
                "legendFormat": legend,
                "instant": table,
                "range": not table,
                "format": "table" if table else "time_series",
            }
            for number, (expr, legend) in enumerate(panel.queries)
        ],
    }
    if table:
        hidden = {"Time": True, "Value": True, "__name__": True, "job": True}
        made["transformations"] = [{"id": "organize", "options": {"excludeByName": hidden}}]
    return made


def _dashboard(panels: Sequence[dict[str, Any]]) -> dict[str, Any]:
    instances = "label_values(powerd_build_info, instance)"
    return {
        "uid": "powerd",
        "title": "powerd",
        "description": "A farm's nodes: their power, waking, uptime and faults (docs/monitoring.md)",
        "tags": ["powerd", "threefold"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {
            "list": [
                {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"},
                {
                    "name": "instance",
                    "type": "query",
                    "label": "Node",
                    "datasource": DATASOURCE,
                    "query": {"query": instances, "refId": "instances"},
                    "definition": instances,
                    "multi": True,
                    "includeAll": True,
                    "refresh": 2,
                    "sort": 1,
                },
            ]
        },
        "panels": list(panels),
    }


if __name__ == "__main__":
    Path(__file__).parents[3].joinpath("packaging", "grafana", "powerd.json").write_text(document())
