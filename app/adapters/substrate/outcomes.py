"""The results of a block's extrinsics, by its events (``System.ExtrinsicSuccess``, ``ExtrinsicFailed``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.domain.values import value


@value
class Succeeded:
    """The extrinsic was included and succeeded."""


@value
class FailedWith:
    """The extrinsic was included and failed. ``error`` is its name in the runtime's metadata."""

    error: str


Outcome = Succeeded | FailedWith


@value
class BlockOutcomes:
    """A block's extrinsics (``0x…``), and their results by index. One without an event has no result."""

    number: int
    extrinsics: Sequence[str]
    outcomes: Mapping[int, Outcome]
