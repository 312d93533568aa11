"""The changes of one node's power within a block: state and target may both change in it."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from app.domain.model import Power


class Changed(enum.Enum):
    """Which part of a node's power changed."""

    TARGET = "target"
    STATE = "state"


Changes = Sequence[tuple[Changed, Power]]
"""In the order of the block's events."""


def needs_parent(changes: Changes) -> bool:
    """Whether only the block before has the target at the first change of the state."""
    kinds = [kind for kind, _ in changes]
    return kinds[:1] == [Changed.STATE] and Changed.TARGET in kinds


def targets_at(changes: Changes, before: Power) -> tuple[Power | None, Power | None]:
    """The target when the state was set to Down, and when it was set to Up; None where it was not.

    ``before`` is the target before the block.
    """
    at: dict[Power, Power] = {}
    target = before
    for kind, power in changes:
        if kind is Changed.TARGET:
            target = power
        else:
            at[power] = target
    return at.get(Power.DOWN), at.get(Power.UP)
