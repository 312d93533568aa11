"""Whether a wake of this node was proved, by what the node itself can know (R14).

A machine that is off sees nothing. So powerd judges by what happened before and after the boot. All of this must
be true:

1. powerd ordered the power-off of the boot before, and did not take the order back.
2. This is another boot.
3. The node was called: its target was Up in a block right before this boot.
4. It was called shortly before: ``CALLED_S_MAX`` before this boot, or when it left, its target was still Down.
5. The clock's alarm, where powerd knows of one, was not due by then.

What is not known is no proof. The node can't know one thing: a hand on the power button in those minutes looks the
same.
"""

from __future__ import annotations

from app.domain.model import NodePower, Power, Unreadable
from app.domain.values import value

CALLED_S_MAX = 600.0
"""From the call to the start of the kernel: two or three bursts, and the firmware's self-test of a large server."""

ALARM_ROUNDING_S = 120.0
"""Some clocks know minutes only, and the firmware takes time between the alarm and the boot."""


@value
class Departure:
    """A power-off that powerd ordered: in which boot, when, and when the clock's alarm is due (Unix seconds)."""

    boot_id: str
    at_s: float
    alarm_at_s: float | None = None


@value
class WakeRecord:
    """What is kept over a boot: the last departure, until it was judged; the boot that proved a wake (Unix seconds)."""

    departure: Departure | None = None
    proved_at_s: float | None = None


@value
class Trial:
    """One sleep is allowed without a proved wake: in this boot, until the machine's uptime is ``until_uptime_s``."""

    boot_id: str
    until_uptime_s: float

    def lasts(self, boot_id: str, uptime_s: float) -> bool:
        return self.boot_id == boot_id and uptime_s < self.until_uptime_s


PowerThen = NodePower | Unreadable | None
"""As a block left it; None where that is not known (any more)."""


def may_prove(departure: Departure, boot_id: str, boot_at_s: float) -> bool:
    """Points 1, 2 and 5: the others need reads of the chain."""
    if departure.boot_id == boot_id:
        return False
    return departure.alarm_at_s is None or boot_at_s < departure.alarm_at_s - ALARM_ROUNDING_S


def still_down_at_s(departure: Departure, boot_at_s: float) -> float | None:
    """When the target must still have been Down; None: when the node left, and that was seen then."""
    at_s = boot_at_s - CALLED_S_MAX
    return None if departure.at_s >= at_s else at_s


def proves(at_boot: PowerThen, before: PowerThen) -> bool:
    """Points 3 and 4; ``before`` is that of `still_down_at_s`."""
    return _has_target(at_boot, Power.UP) and _has_target(before, Power.DOWN)


def _has_target(power: PowerThen, target: Power) -> bool:
    return isinstance(power, NodePower) and power.target is target
