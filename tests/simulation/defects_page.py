"""The table of planted defects in docs/simulation.md."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "simulation.md"
ROW = re.compile(r"^\| ([\w' -]+) \| [^|]+ \| (\d+) \| ([`\w, ]+) \|$", re.MULTILINE)


def table() -> dict[str, tuple[int, list[str]]]:
    """For each defect: how many seeds were needed to find it, and the promises it broke."""
    rows = ROW.findall(PAGE.read_text())
    return {name: (int(seeds), re.findall(r"\w+", promises)) for name, seeds, promises in rows}
