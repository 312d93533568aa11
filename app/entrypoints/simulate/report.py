"""Writes a run as one page to look at."""

from __future__ import annotations

from pathlib import Path

import msgspec

from app.entrypoints.simulate.outcome import Outcome


def write_report(outcome: Outcome, path: Path) -> None:
    """Self-contained: no network, no other file."""
    path.write_bytes(msgspec.json.encode(outcome))
