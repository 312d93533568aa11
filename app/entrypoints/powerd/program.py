"""The console script ``powerd``: small, so that Ctrl-C ends it quietly from the first moment on."""

from __future__ import annotations

from app.entrypoints.terminal.interrupts import run_program


def main() -> None:
    """Run ``powerd``."""
    run_program("app.entrypoints.powerd.cli")
