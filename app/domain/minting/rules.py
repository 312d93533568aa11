"""The minting's rules: a function from one node's month and one event to the next month.

Theory of operation. Power events open and close two things. The *down window* opens when the state
turns Down while the target is Down. The *boot request* is the first target Up that comes while the
state is Down. Both decide what a report counts for:

======  =======  ====================================================================
window  request  a report
======  =======  ====================================================================
closed  none     is compared with the report before it (`_compared`)
closed  open     is ignored, until a later window was opened and closed
open    none     is ignored
open    open     is ignored, unless the node booted since the window opened: then it
                 closes both, and the whole time since then is credited (`_woken`)
======  =======  ====================================================================

So a node that said Down and did not power off earns nothing until it has booted (R13).
Source: ``minting_v3`` (state of February 2025), its code and its output.
"""

from __future__ import annotations

from dataclasses import replace

from app.domain.minting.events import NodeUptimeReported, PowerStateChanged, PowerTargetChanged, TimedEvent
from app.domain.minting.limits import (
    ABORTED_AFTER_S,
    BOOT_S_MAX,
    GRACE_S,
    REPORT_GAP_S_MAX,
    SKEW_S,
    SLEEP_S_MAX,
    SLOW_BOOTS_MAX,
)
from app.domain.minting.month import Booking, Loss, Month, Violation
from app.domain.minting.period import LATE_EVENTS_S, Period
from app.domain.model import Power

Step = tuple[Month, Booking | None]


def step(month: Month, event: TimedEvent, period: Period) -> Step:
    """The month after this event, and the decision about the time before it, if there is one.

    Events must come in the order of their time. Those of more than 27 h after the period change nothing.
    """
    if event.time_s > period.end_s + LATE_EVENTS_S:
        return month, None
    match event:
        case NodeUptimeReported():
            return _reported(month, event, period)
        case PowerTargetChanged():
            return _target_changed(month, event), None
        case _:
            return _state_changed(month, event, period)


def closed(month: Month, period: Period) -> Step:
    """The month at its end. An open request of the period counts as a slow boot; two of them are a violation."""
    slow_boots = month.slow_boots + (month.request_s is not None and month.request_s <= period.end_s)
    month = replace(month, slow_boots=slow_boots)
    if slow_boots > SLOW_BOOTS_MAX:
        month = _violated(month, Violation.BOOT_REQUEST_EXPIRED, period.end_s)
    if month.booked_until_s >= period.end_s:
        return month, None
    return _booked(month, period.end_s, 0, period, _why_not_counted(month))


def so_far(month: Month, now_s: int, period: Period) -> Step:
    """The month as it stands at ``now_s``, if everything that can still come in time will.

    A sleeper that is not late yet is credited up to now, and so is a node whose next report is not due.
    """
    if month.window_s is not None:
        called_too_long_ago = month.boot_until_s is not None and now_s > month.boot_until_s
        if not month.stayed_on and not called_too_long_ago and now_s <= month.window_s + SLEEP_S_MAX:
            since_s = max(month.window_s, period.start_s)
            return _booked(month, now_s, now_s - since_s, period, Loss.GAP, "asleep")
        month = replace(month, slow_boots=month.slow_boots + called_too_long_ago)
    elif month.request_s is None and month.last is not None:
        return _booked(month, now_s, min(now_s - month.last[0], REPORT_GAP_S_MAX), period, Loss.GAP)
    return _booked(month, now_s, 0, period, _why_not_counted(month))


def _why_not_counted(month: Month) -> Loss:
    if month.stayed_on:
        return Loss.ABORTED_SLEEP
    if month.window_s is None and month.request_s is not None:
        return Loss.CALLED_AWAKE
    return Loss.NOT_REPORTED


def _target_changed(month: Month, event: PowerTargetChanged) -> Month:
    requested = event.target is Power.UP and month.state is Power.DOWN and month.request_s is None
    return replace(month, target=event.target, request_s=event.time_s if requested else month.request_s)


def _state_changed(month: Month, event: PowerStateChanged, period: Period) -> Step:
    opens = month.state is Power.UP and event.state is Power.DOWN and month.target is Power.DOWN
    month = replace(month, state=event.state)
    if not opens:
        return month, None
    month = replace(month, down_s=event.time_s)
    if month.window_s is not None:
        return month, None
    month = replace(month, window_s=event.time_s, awake_s=None, ignored=None)
    if month.last is None or event.time_s > period.end_s:
        return month, None
    since_last_s = event.time_s - month.last[0]
    month = replace(month, last=(event.time_s, 0))
    return _booked(month, event.time_s, since_last_s, period, Loss.GAP, "went to sleep")


def _reported(month: Month, report: NodeUptimeReported, period: Period) -> Step:
    if month.over:
        return month, None
    if month.window_s is None and month.request_s is None:
        month, booking = _compared(month, report, period)
    elif month.window_s is None or month.request_s is None or report.boot_s <= month.window_s:
        return _ignored(month, report), None
    else:
        month, booking = _woken(month, report, month.window_s, month.request_s, period)
    # Only the first report after the period counts.
    return replace(month, over=report.time_s > period.end_s), booking


def _ignored(month: Month, report: NodeUptimeReported) -> Month:
    if month.window_s is None:
        return month
    woken = report.boot_s > month.window_s
    if not woken and report.time_s <= month.window_s + ABORTED_AFTER_S:
        return month
    ignored = (report.time_s, report.boot_s)
    return replace(month, ignored=ignored, awake_s=month.awake_s if woken else report.time_s)


def _woken(month: Month, report: NodeUptimeReported, window_s: int, request_s: int, period: Period) -> Step:
    """The first report after a boot: it closes the window and the request."""
    slow = report.boot_s - request_s > BOOT_S_MAX
    overslept = report.time_s - window_s > SLEEP_S_MAX
    slept_s = max(0, min(report.time_s, period.end_s) - max(window_s, period.start_s))
    aborted = month.awake_s is not None
    month = replace(
        month,
        window_s=None,
        request_s=None,
        down_s=None,
        awake_s=None,
        ignored=None,
        last=(report.time_s, report.uptime_s),
        boot_s=report.boot_s,
        slow_boots=month.slow_boots + slow,
    )
    if not slow and not overslept:
        return _booked(month, report.time_s, slept_s, period, Loss.GAP, "woke up")
    loss = Loss.ABORTED_SLEEP if aborted else Loss.SLOW_BOOT if slow else Loss.OVERSLEPT
    return _booked(month, report.time_s, 0, period, loss, "slow boot" if slow else "")


def _compared(month: Month, report: NodeUptimeReported, period: Period) -> Step:
    """A report of a node that was not put to sleep: it must fit the report before it."""
    if month.last is None:
        return _first(month, report, period)
    last_s, last_uptime_s = month.last
    gap_s, grew_s = report.time_s - last_s, report.uptime_s - last_uptime_s
    taken = replace(month, last=(report.time_s, report.uptime_s))
    if grew_s > gap_s + GRACE_S:
        taken = _violated(taken, Violation.UPTIME_TOO_HIGH, report.time_s)
        return _booked(taken, report.time_s, 0, period, Loss.BAD_REPORT)
    if grew_s >= gap_s - GRACE_S:
        if abs(report.boot_s - month.boot_s) >= SKEW_S:
            month, taken = (_violated(m, Violation.CLOCK_SKEW, report.time_s) for m in (month, taken))
        if grew_s > 0:
            worth_s = period.end_s - last_s if report.time_s > period.end_s else grew_s
            return _booked(taken, report.time_s, min(worth_s, REPORT_GAP_S_MAX), period, Loss.GAP)
    if report.uptime_s <= gap_s:
        worth_s = max(0, report.uptime_s - max(0, report.time_s - period.end_s))
        taken = replace(taken, boot_s=report.boot_s)
        return _booked(taken, report.time_s, min(worth_s, REPORT_GAP_S_MAX), period, Loss.REBOOT, "booted")
    # The next report is compared with the one before this, so no time is lost yet.
    too_low = report.uptime_s > last_uptime_s
    month = _violated(month, Violation.UPTIME_TOO_LOW if too_low else Violation.INVALID_REBOOT, report.time_s)
    return month, Booking(report.time_s, 0, 0, Loss.BAD_REPORT)


def _first(month: Month, report: NodeUptimeReported, period: Period) -> Step:
    month = replace(month, last=(report.time_s, report.uptime_s), boot_s=report.boot_s)
    if report.time_s > period.end_s:
        return month, None
    credit_s = min(report.time_s - period.start_s, report.uptime_s, REPORT_GAP_S_MAX)
    loss = Loss.GAP if report.boot_s <= period.start_s else Loss.NOT_BOOTED
    return _booked(month, report.time_s, credit_s, period, loss, "first report of the period")


def _violated(month: Month, violation: Violation, at_s: int) -> Month:
    """The first violation names the month."""
    if month.violation is not None:
        return month
    return replace(month, violation=violation, violated_at_s=at_s)


def _booked(month: Month, until_s: int, credit_s: int, period: Period, loss: Loss, note: str = "") -> Step:
    """Credit ``credit_s`` of the time since the last booking; the rest is lost.

    The credit can be some seconds more than the elapsed time, since uptime may grow by the grace more than
    the gap. The next report evens that out, so that is no loss.
    """
    until_s = min(until_s, period.end_s)
    elapsed_s = until_s - month.booked_until_s
    lost_s = max(0, elapsed_s - credit_s)
    month = replace(month, credited_s=month.credited_s + credit_s, booked_until_s=until_s)
    return month, Booking(until_s, credit_s, lost_s, loss if lost_s > GRACE_S else None, note)
