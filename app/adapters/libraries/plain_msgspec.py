"""msgspec without the kinds of values that powerd never has: decimals, and types of typing_extensions."""

from __future__ import annotations

from importlib import import_module

from app.adapters.libraries.left_out import ABSENT, left_out, unused


def leave_out_kinds() -> None:
    """Import msgspec without them; what is imported already stays as it is."""
    with left_out("msgspec", {**unused("decimal"), "typing_extensions": ABSENT}):
        import_module("msgspec")
