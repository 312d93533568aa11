"""docs/monitoring.md says which metrics there are now."""

from __future__ import annotations

import re
from pathlib import Path

from app.adapters.prometheus.metrics import METRICS
from app.entrypoints.documents.monitoring import document
from app.entrypoints.settings.keys import keys

PAGE = Path(__file__).parents[2] / "docs" / "monitoring.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == document(), "run python -m app.entrypoints.documents.monitoring"


def test_every_metric_is_there_once() -> None:
    rows = re.findall(r"^\| `(powerd_\w+)` \|", document(), re.MULTILINE)
    assert rows == [metric.name for metric in METRICS]


def test_every_setting_it_names_is_one() -> None:
    named = set(re.findall(r"`((?:metrics|faults)\.\w+)", document()))
    assert named <= {key.path for key in keys().values()}
    assert len(named) > 5
