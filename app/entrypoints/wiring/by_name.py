"""Hands settings over by name: each has one name and one default, those of its section."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import TypeVar

from app.entrypoints.settings.base import Section

Made = TypeVar("Made")


def by_name(make: Callable[..., Made], section: Section, **more: object) -> Made:
    """``make``, called with ``more`` and the section's settings that have the names of its parameters."""
    names = signature(make).parameters.keys() & section.__struct_fields__
    return make(**{name: getattr(section, name) for name in names} | more)
