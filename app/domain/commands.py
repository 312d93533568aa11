"""What the rules tell the services to do."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from app.domain.model import NodeId


class LookAgain(enum.Enum):
    """When a node that stays up against its target looks again."""

    NEXT_ROUND = "at the next round"
    NEXT_FINALIZED_HEAD = "at the next finalized head"
    IN_A_WHILE = "in a while"
    SOON = "soon"


@dataclass(frozen=True, slots=True)
class Nothing:
    """All is as it should be."""


@dataclass(frozen=True, slots=True)
class ReportUp:
    """The chain calls this node Down, and it is up and has to be."""


@dataclass(frozen=True, slots=True)
class StayUp:
    """The target is Down (or can't be read) and the node stays up; its state has to be Up."""

    reason: str
    look_again: LookAgain


@dataclass(frozen=True, slots=True)
class StayInDoubt(StayUp):
    """Stays up since the chain's answer about it can't be understood: what its target is, is not known."""


@dataclass(frozen=True, slots=True)
class ShutDown:
    """Every guard passed: begin the shutdown sequence, or go on with it."""


PowerCommand = Nothing | ReportUp | StayUp | ShutDown


@dataclass(frozen=True, slots=True)
class SendBurst:
    """Send one burst of magic packets to the node."""

    node: NodeId


@dataclass(frozen=True, slots=True)
class DeferBurst:
    """Other nodes call this one first; its first burst is due in ``for_s`` seconds."""

    node: NodeId
    for_s: float


@dataclass(frozen=True, slots=True)
class EndWake:
    """Stop waking the node, after so many bursts."""

    node: NodeId
    bursts: int
    outcome: str


WakeCommand = SendBurst | DeferBurst | EndWake
