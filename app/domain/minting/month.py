"""One node's month as plain values: what the minting knows, and the time that it credited."""

from __future__ import annotations

import enum

from app.domain.minting.events import Initial
from app.domain.minting.limits import ABORTED_AFTER_S, BOOT_S_MAX
from app.domain.minting.period import Period
from app.domain.model import NodeId, Power
from app.domain.values import value


class Violation(enum.Enum):
    """A violation costs the whole month. The values are the minting's own names."""

    UPTIME_TOO_HIGH = "UptimeTooHigh"
    UPTIME_TOO_LOW = "UptimeTooLow"
    INVALID_REBOOT = "InvalidReboot"
    CLOCK_SKEW = "ClockSkew"
    BOOT_REQUEST_EXPIRED = "BootRequestExpired"


class Loss(enum.Enum):
    """Why time was not credited, in words for the farmer."""

    GAP = "no report for more than 41 minutes"
    NOT_BOOTED = "off, or not there yet, before its first report in the period"
    REBOOT = "the node was off without having been put to sleep"
    OVERSLEPT = "asleep for more than 24 hours"
    SLOW_BOOT = "booted more than 30 minutes after it was called"
    ABORTED_SLEEP = "said Down, stayed on, and had not booted since"
    CALLED_AWAKE = "called up while its state was Down, though it had not been put to sleep"
    BAD_REPORT = "the report contradicts the one before it"
    NOT_REPORTED = "no report was counted"


@value
class Booking:
    """A decision about the time up to ``until_s``: how much was credited and lost, and why."""

    until_s: int
    credited_s: int
    lost_s: int
    loss: Loss | None = None
    note: str = ""


@value
class Month:
    """What the minting knows of one node. `step` (in rules.py) returns the next one.

    ``window_s`` is when the open down window was opened, ``request_s`` when the open boot request came.
    ``last`` is the last report that counted, as (time, uptime); ``boot_s`` is the boot time at the beginning of
    its series of reports. Time is decided up to ``booked_until_s``. In the open window, ``down_s`` is when
    the node last said Down with its target Down, ``awake_s`` when it last reported without a boot, and
    ``ignored`` the last report that did not count, as (time, boot time).
    ``over``: a report from after the period has counted.
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
    ignored: tuple[int, int] | None = None
    over: bool = False

    @property
    def boot_until_s(self) -> int | None:
        """Until when the node must boot; None without an open boot request."""
        return None if self.request_s is None else self.request_s + BOOT_S_MAX

    @property
    def stayed_on(self) -> bool:
        """Whether it ran on in its open window without a boot. It may sleep again by now."""
        return self.awake_s is not None and (self.down_s is None or self.awake_s > self.down_s + ABORTED_AFTER_S)

    @property
    def uncredited_since_s(self) -> int | None:
        """Since when a running node earns nothing, until it boots with its target Up; None where its reports count."""
        if self.window_s is None:
            return self.request_s
        if self.ignored is None or self.down_s is None:
            return self.window_s if self.ignored else None
        at_s, boot_s = self.ignored  # it may sleep again by now, after a last report
        return self.window_s if at_s > self.down_s + ABORTED_AFTER_S or boot_s > self.down_s else None

    def share(self, period: Period) -> float:
        """The credited part of the period, from 0 to 1."""
        return self.credited_s / period.length_s


def beginning(node: NodeId, period: Period, initial: Initial | None = None) -> Month:
    """The month at its beginning. For a node that is Down, the window is open since its Down."""
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
