"""Loads pyroute2 for a `DaemonThread`, which waits longer for that than for a call: it can take seconds."""

from __future__ import annotations

from importlib import import_module


def load_library() -> None:
    """Import what the calls import again, at once, when they begin."""
    import_module("app.adapters.linux.library")
