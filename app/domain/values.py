"""Declares values: data classes that do not change.

A daemon imports 150 of them at each start, and makes thousands an hour in a large farm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def value(cls: type[T]) -> type[T]:
    """As ``@dataclass(frozen=True, slots=True)``, but the type checker alone refuses a change.

    Python refuses it by a call for each field whenever a frozen value is made: the fifteen fields of an `Observation`
    take 2.6 µs so, and 0.4 µs without. To declare the class takes a third longer, too.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
