"""How the extrinsics of a block went, as its events say (``System.ExtrinsicSuccess``, ``ExtrinsicFailed``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The extrinsic did what it says."""


@dataclass(frozen=True, slots=True)
class FailedWith:
    """The extrinsic was included and failed; ``error`` is the name that the runtime's metadata gives."""

    error: str


Outcome = Succeeded | FailedWith


@dataclass(frozen=True, slots=True)
class BlockOutcomes:
    """A block's extrinsics (``0x…``), and how they went by index; one without an event is not in ``outcomes``."""

    number: int
    extrinsics: Sequence[str]
    outcomes: Mapping[int, Outcome]
