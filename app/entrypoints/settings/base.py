"""What the sections of the settings share: strictness, and the types of values."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the settings file."""


Seconds = Annotated[float, Meta(ge=0)]
PositiveSeconds = Annotated[float, Meta(ge=0.01)]
"""A deadline, or a pause between two tries. Less than 10 ms would be a busy loop."""
Port = Annotated[int, Meta(ge=1, le=65535)]
Id = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Command = Annotated[tuple[str, ...], Meta(min_length=1)]
