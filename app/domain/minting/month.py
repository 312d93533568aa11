"""One node's month as plain values: what the minting knows of it, and what became of its time."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from app.domain.minting.events import Initial
from app.domain.minting.period import Period
from app.domain.model import NodeId, Power

REPORT_GAP_S_MAX = 41 * 60
"""The longest gap between two reports that is credited in full."""
SLEEP_S_MAX = 24 * 3600
"""From the opening of the down window to the report after the next boot."""
BOOT_S_MAX = 30 * 60
"""From the boot request to the boot."""
GRACE_S = 60
"""How far growth of uptime and time between reports may differ."""
SKEW_S = 120
"""From this on a boot time that moved is a violation."""
SLOW_BOOTS_MAX = 1
ABORTED_AFTER_S = 600
"""One report right after Down is part of a good power-off; a later one shows that the machine stayed on."""
MINIMUM_SHARE, CERTIFIED_SHARE = 0.95, 0.98
"""Below this share of the period nothing is paid; the second is that of certified nodes."""


class Violation(enum.Enum):
    """Each of them costs the whole month; the values are the minting's own names."""

    UPTIME_TOO_HIGH = "UptimeTooHigh"
    UPTIME_TOO_LOW = "UptimeTooLow"
    INVALID_REBOOT = "InvalidReboot"
    CLOCK_SKEW = "ClockSkew"
    BOOT_REQUEST_EXPIRED = "BootRequestExpired"


class Loss(enum.Enum):
    """Why time was not credited, in a farmer's words."""

    GAP = "no report for more than 41 minutes"
    REBOOT = "the node was off without having been put to sleep"
    OVERSLEPT = "asleep for more than 24 hours"
    SLOW_BOOT = "booted more than 30 minutes after it was called"
    ABORTED_SLEEP = "said Down, stayed on, and had not booted since"
    CALLED_AWAKE = "called up while it said Down without having been put to sleep"
    BAD_REPORT = "the report contradicts the one before it"
    NOT_REPORTED = "no report was counted"


@dataclass(frozen=True, slots=True)
class Booking:
    """What became of the time up to ``until_s``: so much was credited, so much lost, and why."""

    until_s: int
    credited_s: int
    lost_s: int
    loss: Loss | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Month:
    """What the minting knows of one node. ``step`` makes the next one.

    ``window_s`` is when the open down window was opened, ``request_s`` when the open boot request
    came. ``last`` is the last report that counted, as (time, uptime), and ``boot_s`` the boot time
    that its series of reports began with. ``booked_until_s`` is up to where time was credited or lost.
    ``down_s`` is when the node, in its open window, last said Down with its target Down, and ``awake_s`` when
    it last reported without having booted. ``over``: a report from after the period counted already.
    """

    node: NodeId
    state: Power = Power.UP
    target: Power = Power.UP
    window_s: int | None = None
    request_s: int | None = None
    last: tuple[int, int] | None = None
    boot_s: int = 0
    credited_s: int = 0
    slow_boots: int = 0
    violation: Violation | None = None
    violated_at_s: int | None = None
    booked_until_s: int = 0
    down_s: int | None = None
    awake_s: int | None = None
    over: bool = False

    @property
    def boot_until_s(self) -> int | None:
        """By when the node must have booted; None without an open boot request."""
        return None if self.request_s is None else self.request_s + BOOT_S_MAX

    @property
    def stayed_on(self) -> bool:
        """Whether it runs in its open window without having booted. It may have gone to sleep again since."""
        return self.awake_s is not None and (self.down_s is None or self.awake_s > self.down_s + ABORTED_AFTER_S)

    @property
    def uncredited_since_s(self) -> int | None:
        """Since when a node that runs earns nothing, until it boots; None where its reports count."""
        if self.window_s is None:
            return self.request_s
        return self.window_s if self.stayed_on else None

    def share(self, period: Period) -> float:
        """Credited part of the period, 0 to 1."""
        return self.credited_s / period.length_s


def beginning(node: NodeId, period: Period, initial: Initial | None = None) -> Month:
    """The month as it begins. A node that is Down has its window open since its Down already."""
    if initial is None:
        return Month(node, booked_until_s=period.start_s)
    down = initial.state is Power.DOWN
    since_s = (period.start_s if initial.since_s is None else initial.since_s) if down else None
    return Month(
        node,
        state=initial.state,
        target=initial.target,
        window_s=since_s,
        down_s=since_s,
        request_s=period.start_s if down and initial.target is Power.UP else None,
        booked_until_s=period.start_s,
    )
