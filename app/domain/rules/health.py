"""Whether the daemon is healthy: the answer of /healthz."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.domain.faults import FaultKind, Urgency
from app.domain.status import NodeStatus
from app.domain.values import value

OF_OTHER_NODES = frozenset({FaultKind.NODE_ASLEEP, FaultKind.NODE_SILENT})
"""Urgent, and not this daemon's failure: it reports another node, and goes on waking it."""

START_REMEDY = "it begins within a minute of the start; if it does not, see the log"
HUNG_REMEDY = "`kill -USR1` of the daemon logs where each task waits; then restart it, and report the log"


@value
class Loops:
    """``silent_s``: for how long each loop that has begun gave no sign of life; beyond ``silence_s_max`` it hangs."""

    needed: tuple[str, ...]
    silent_s: Mapping[str, float]
    silence_s_max: float


@value
class Problem:
    """One reason why the daemon is not healthy."""

    what: str
    why: str
    remedy: str


def problems(status: NodeStatus, loops: Loops) -> Iterator[Problem]:
    """None if every loop makes progress, and no fault of this node costs income."""
    if status.waiting_for:
        yield Problem("identity", f"this node is not known yet: {status.waiting_for}", FaultKind.IDENTITY.remedy)
    elif missing := [loop for loop in loops.needed if loop not in loops.silent_s]:
        yield Problem("start", f"not begun yet: the loops for {', '.join(missing)}", START_REMEDY)
    for loop, seconds in loops.silent_s.items():
        if seconds > loops.silence_s_max:
            yield Problem(f"loop for {loop}", f"it gave no sign of life for {seconds:.0f} s", HUNG_REMEDY)
    for fault in status.faults:
        kind = FaultKind.of(fault.key)
        if kind is not None and kind.urgency is Urgency.AT_ONCE and kind not in OF_OTHER_NODES:
            yield Problem(f"fault {fault.key}", fault.message, kind.remedy)
