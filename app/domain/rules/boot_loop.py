"""How long a node stays up that boots by itself again and again while its target is Down (R10).

Theory of operation. The first look at the chain after a boot judges that boot. If target and state
are Down, the farmer did not ask for it: the boot is *unwanted*. Unwanted boots in a row are counted
across boots. After the first few the node powers off at once, since a press of the power button or a
stray packet is no loop. After each further one it stays up for a while, twice as long as before.

======  =====  =================  ===================================================
target  state  slept before       unwanted boots in a row
======  =====  =================  ===================================================
Up      any    (not asked)        0: the farmer wants it up; at any later look too
Down    Down   long               1: what wakes it so rarely (the clock's alarm) is no loop
Down    Down   short              one more
Down    Up     long               0
Down    Up     short              as before: it lost power while it was up, or the target just changed
broken  any    (not asked)        not judged yet; the next look judges
======  =====  =================  ===================================================

A daemon that is started again within the same boot, known by the boot's id, judges nothing.
"""

from __future__ import annotations

from dataclasses import replace

from app.domain.model import NodePower, Power
from app.domain.values import value


@value
class BootRecord:
    """What is kept from boot to boot: the boot's id, the unwanted boots in a row, when it last ran (Unix s)."""

    boot_id: str
    unwanted: int
    awake_at_s: float


@value
class Boot:
    """This boot: its id, and its time (Unix seconds by this machine's clock)."""

    id: str
    at_s: float


@value
class BootLoopPolicy:
    """How many unwanted boots are free, how long later ones keep the node up, and which sleep ends the row."""

    free_boots: int
    stay_s_min: float
    stay_s_max: float
    long_sleep_s: float


def judge(power: NodePower, before: BootRecord | None, boot: Boot, now_s: float, policy: BootLoopPolicy) -> BootRecord:
    """The record after this look, by the table above; ``before`` is None at the first look of all."""
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
    """The record of a node that is about to power off."""
    return replace(record, awake_at_s=now_s)


def stay_s(unwanted: int, policy: BootLoopPolicy) -> float:
    """How long the node stays up after its boot, at least (s)."""
    doublings = unwanted - policy.free_boots - 1
    if doublings < 0:
        return 0.0
    # The exponent is bounded: a count that was read from a file may be any number.
    return min(policy.stay_s_max, policy.stay_s_min * 2.0 ** min(doublings, 64))
