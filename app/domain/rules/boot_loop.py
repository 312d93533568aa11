"""How long a node stays up that wakes by itself, again and again, while its target is Down (R10).

Theory of operation. The first look at the chain after a boot judges that boot: a node that finds
itself wanted Down, and Down on chain, was not woken by a farmer's wish. Such boots in a row are
counted across boots; the first few are powered off at once, since a hand on the button or one stray
packet is no loop. From then on each boot keeps the node up a while, twice as long as the one before.

======  =====  =================  ===================================================
target  state  slept before       unwanted boots in a row
======  =====  =================  ===================================================
Up      any    (not asked)        0: the farmer wants it up; at any later look too
Down    Down   long               1: what wakes it so seldom (the clock's alarm) is no loop
Down    Down   short              one more
Down    Up     long               0
Down    Up     short              as before: it fell while it was up, or its target just turned
broken  any    (not asked)        not judged yet; the next look does
======  =====  =================  ===================================================

A daemon that is started again within the same boot judges nothing: the boot's id tells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.domain.model import NodePower, Power


@dataclass(frozen=True, slots=True)
class BootRecord:
    """What outlives a boot: its id, the unwanted boots in a row up to it, and when it was last known awake (Unix s)."""

    boot_id: str
    unwanted: int
    awake_at_s: float


@dataclass(frozen=True, slots=True)
class Boot:
    """This boot: its id, and when it was (Unix seconds, by this machine's clock)."""

    id: str
    at_s: float


@dataclass(frozen=True, slots=True)
class BootLoopPolicy:
    """How many unwanted boots are free, how long later ones last, and how long a sleep ends the row; seconds."""

    free_boots: int = 2
    stay_s_min: float = 300.0
    stay_s_max: float = 14400.0
    long_sleep_s: float = 21600.0


def judge(power: NodePower, before: BootRecord | None, boot: Boot, now_s: float, policy: BootLoopPolicy) -> BootRecord:
    """What is known after this look; ``before`` is what was known, None if nothing. See the table above."""
    if before is None:
        before = BootRecord("", 0, now_s)
    if power.target is Power.UP:
        unwanted = 0
    elif before.boot_id == boot.id:
        return before
    else:
        slept_long = boot.at_s - before.awake_at_s >= policy.long_sleep_s
        unwanted = 0 if slept_long else before.unwanted
        unwanted += power.state.power is Power.DOWN
    if (before.boot_id, before.unwanted) == (boot.id, unwanted):
        return before
    return BootRecord(boot.id, unwanted, now_s)


def falls_asleep(record: BootRecord, now_s: float) -> BootRecord:
    """The record of a node about to power off."""
    return replace(record, awake_at_s=now_s)


def stay_s(unwanted: int, policy: BootLoopPolicy) -> float:
    """How long after its boot the node stays up at least."""
    doublings = unwanted - policy.free_boots - 1
    if doublings < 0:
        return 0.0
    # Bounded before it is raised: a count read from a file may be any number.
    return min(policy.stay_s_max, policy.stay_s_min * 2.0 ** min(doublings, 64))
