"""What the sections of the settings share: strictness, and the types of values."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Annotated, TypeVar

from msgspec import Meta, Struct

Made = TypeVar("Made")


class Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the settings file."""

    def build(self, make: Callable[..., Made], **more: object) -> Made:
        """``make``, called with ``more`` and the settings that have the names of its parameters.

        So each setting has one name and one default.
        """
        names = signature(make).parameters.keys() & self.__struct_fields__
        return make(**{name: getattr(self, name) for name in names} | more)


Seconds = Annotated[float, Meta(ge=0)]
PositiveSeconds = Annotated[float, Meta(ge=0.01)]
"""A deadline, or a pause between two tries. Less than 10 ms would be a busy loop."""
Port = Annotated[int, Meta(ge=1, le=65535)]
Id = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Command = Annotated[tuple[str, ...], Meta(min_length=1)]
