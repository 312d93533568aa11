"""Months in a farmer's words, and as lines of JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from app.domain.minting.limits import CERTIFIED_SHARE, MINIMUM_SHARE, SLOW_BOOTS_MAX
from app.domain.minting.month import Booking, Month, Violation
from app.entrypoints.farm.minting.period_losses import PeriodLosses
from app.entrypoints.terminal.colour import Paint
from app.entrypoints.terminal.tables import Cell, Row, folded, folds, laid_out, width_of_terminal

HOUR_S = 3600

WORDS = {
    Violation.UPTIME_TOO_HIGH: "its uptime grew by more than the time that passed",
    Violation.UPTIME_TOO_LOW: "its uptime grew by less than the time that passed, and it had not booted",
    Violation.INVALID_REBOOT: "it reported less uptime than before, and more than a boot since then allows",
    Violation.CLOCK_SKEW: "the boot time by its reports moved by 2 minutes or more",
    Violation.BOOT_REQUEST_EXPIRED: "it was called twice and was not up within 30 minutes",
}


def lines_of(losses: PeriodLosses, months: Sequence[Month], until_s: int, *, as_json: bool) -> Iterator[str]:
    """The lines to print; ``until_s`` is the time up to which the period was judged."""
    if losses.explain is not None and not as_json:
        yield from explanation(losses.ledger.month(losses.explain), losses.bookings)
    elif as_json:
        yield from (json_line(month) for month in months if losses.explain in (None, month.node))
    else:
        width = width_of_terminal()
        yield from table(losses, months, until_s, width, Paint(sys.stdout), fold=folds(sys.stdout, width))


def json_line(month: Month) -> str:
    """One node's month, for programs."""
    violation = None if month.violation is None else month.violation.value
    row = {
        "node": month.node,
        "credited_s": month.credited_s,
        "slow_boots": month.slow_boots,
        "violation": violation,
    }
    return json.dumps(row, separators=(",", ":"))


HEADINGS = ("NODE", "CREDITED", "SHARE", "LOST", "SLOW BOOTS", "MONTH")


def table(
    losses: PeriodLosses, months: Sequence[Month], until_s: int, width: int, paint: Paint, *, fold: bool
) -> Iterator[str]:
    """A row a node, then what cost them time. ``until_s`` is up to when the period was judged.

    ``fold``: long sentences are broken at the width.
    """

    def said(text: str) -> list[str]:
        return folded(text, width) if fold else [text]

    period, lost_s = losses.period, losses.lost_s
    number = "" if period.number is None else f" {period.number}"
    yield from said(f"period{number}: {moment(period.start_s)} to {moment(period.end_s)} UTC")
    if until_s < period.end_s:
        yield from said(f"judged up to {moment(until_s)} UTC, {_hours(period.end_s - until_s)} before its end")
    rows = [_row(month, losses, sum(lost_s[month.node].values())) for month in months]
    yield from laid_out(rows, [HEADINGS], width, paint)
    for month in months:
        for detail in _details(month, losses):
            yield from said(detail)


def _row(month: Month, losses: PeriodLosses, lost_s: int) -> Row:
    node = Cell(str(month.node), right=True)
    if not losses.is_of(month.node):
        no_data = f"no data: registered {moment(losses.registered_s[month.node])[:10]}"
        return {heading: Cell("-", right=True) for heading in HEADINGS} | {"NODE": node, "MONTH": Cell(no_data)}
    outlook = _outlook(month, losses, lost_s)
    return {
        "NODE": node,
        "CREDITED": Cell(_hours(month.credited_s), right=True),
        "SHARE": Cell(f"{100 * month.share(losses.period):.1f} %", right=True),
        "LOST": Cell(_hours(lost_s), right=True),
        "SLOW BOOTS": Cell(str(month.slow_boots), right=True),
        "MONTH": Cell(outlook, "red" if outlook.startswith("lost") else ""),
    }


def _outlook(month: Month, losses: PeriodLosses, lost_s: int) -> str:
    if month.violation is not None:
        return f"lost: {month.violation.value}"
    if month.slow_boots > SLOW_BOOTS_MAX:
        return f"lost: {Violation.BOOT_REQUEST_EXPIRED.value}"
    share = CERTIFIED_SHARE if month.node in losses.certified else MINIMUM_SHARE
    left_s = losses.period.length_s * (1 - share) - lost_s
    if left_s < 0:
        return f"lost: below {100 * share:.0f} %"
    return f"{left_s / HOUR_S:.1f} h to spare"


def _details(month: Month, losses: PeriodLosses) -> Iterator[str]:
    if not losses.is_of(month.node):
        return
    for loss, seconds in losses.lost_s[month.node].most_common():
        yield f"node {month.node} lost {_hours(seconds)}: {loss.value}"
    if (at_s := losses.registered_within(month.node)) is not None:
        before = _hours(at_s - losses.period.start_s)
        yield f"node {month.node} was registered {moment(at_s)} UTC, {before} after the period began"
    if month.violation is not None and month.violated_at_s is not None:
        at = moment(month.violated_at_s)
        yield f"node {month.node} gets nothing for this period: {month.violation.value} at {at}"
        yield f"({WORDS[month.violation]})"
    since_s = month.uncredited_since_s
    if since_s is not None:
        yield f"node {month.node} earns nothing since {moment(since_s)}, until it boots with its target Up"


def explanation(month: Month, bookings: Sequence[Booking]) -> Iterator[str]:
    """The node's month as a list; a run of reports that cost nothing is one line."""
    yield f"node {month.node}:"
    run: list[Booking] = []
    for booking in bookings:
        if booking.loss is None and not booking.note:
            run.append(booking)
            continue
        yield from _together(run)
        run = []
        lost = "" if booking.loss is None else f", lost {_hours(booking.lost_s)}: {booking.loss.value}"
        note = booking.note or "report"
        yield f"  {moment(booking.until_s)}  {note}: credited {_hours(booking.credited_s)}{lost}"
    yield from _together(run)


def _together(run: Sequence[Booking]) -> Iterator[str]:
    if run:
        credited_s = sum(booking.credited_s for booking in run)
        reports = "1 report" if len(run) == 1 else f"{len(run)} reports"
        yield f"  {moment(run[-1].until_s)}  {reports}: credited {_hours(credited_s)}"


def moment(time_s: int) -> str:
    """In UTC, as the chain's own time is."""
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M")


def _hours(seconds: int) -> str:
    return f"{seconds / HOUR_S:.2f} h"
