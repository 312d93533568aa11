"""Commands: what the rules decide and the services carry out."""

from __future__ import annotations

import enum

from app.domain.model import NodeId
from app.domain.values import value


class LookAgain(enum.Enum):
    """When a node that stays up against its target looks at the chain again."""

    NEXT_ROUND = "at the next round"
    NEXT_FINALIZED_HEAD = "at the next finalized head"
    IN_A_WHILE = "in a while"
    SOON = "soon"


class Guard(enum.Enum):
    """What keeps a node up against its target. `powerd status --json` has the value, metrics have the name."""

    UNREADABLE = "the chain's answer can't be read"
    NOT_ENABLED = "power management is not enabled"
    HELD = "a hold"
    COOLING_DOWN = "a power-off failed a short while ago"
    BOOT_LOOP = "this node is booted again and again"
    BEST_HEAD = "the age of the best head"
    NOT_FINAL = "the target is not finalized"
    FINALIZED_HEAD = "the age of the finalized head"
    WAKING = "a wake that is not finished"
    LAST_WAKER = "no other node is known to be awake"
    UNPROVED = "no wake of this node was seen yet"
    ABORTED = "the shutdown was aborted"
    REBOOT_DUE = "a reboot is due"


@value
class Nothing:
    """State and target agree."""


@value
class ReportUp:
    """Report the state Up: the target is Up, and the state on chain is Down or may become Down."""


@value
class StayUp:
    """A guard keeps the node up, though its target is Down or unreadable.

    ``say_up``: report the state Up first, as for `ReportUp`. ``reason`` is what the guard objects.
    """

    guard: Guard
    reason: str
    look_again: LookAgain
    say_up: bool = False


@value
class ShutDown:
    """No guard objects: begin the shutdown sequence, or continue it."""


PowerCommand = Nothing | ReportUp | StayUp | ShutDown


@value
class SendBurst:
    """Send one burst of magic packets to the node."""

    node: NodeId


@value
class DeferBurst:
    """Leave the first burst to other nodes; this node's burst is due in ``for_s`` seconds."""

    node: NodeId
    for_s: float


@value
class EndWake:
    """Stop waking the node, after ``bursts`` bursts."""

    node: NodeId
    bursts: int
    outcome: str


WakeCommand = SendBurst | DeferBurst | EndWake
