"""The screen of `powerd status`: what the node does and why, then the details, in rows of label and text."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from app.adapters.telemetry.log import one_line
from app.domain.faults import Urgency
from app.domain.model import Hold, Power
from app.domain.rules.shutdown import Step
from app.domain.status import EventStatus, FaultStatus, NodeStatus, UncreditedStatus, WakeStatus
from app.entrypoints.terminal.colour import Colour, Paint
from app.entrypoints.terminal.durations import shown_duration
from app.entrypoints.terminal.local_time import local, with_local_times

LABEL_WIDTH = 13
WIDTH_MIN = 30
EVENTS_MAX = 5

STEPS: dict[str, str] = {
    Step.ARM.value: "the card is armed, and every guard asked again",
    Step.SAY_DOWN.value: "the chain has to take the state Down",
    Step.FINAL.value: "the state Down has to become final",
    Step.UPTIME.value: "the last uptime report goes out",
    Step.TARGET.value: "the card is armed again, and the target read once more",
    Step.POWER_OFF.value: "the host was ordered to power off",
}
"""What each step of the shutdown waits for."""

COLOURS: dict[str, Colour] = {Urgency.AT_ONCE.value: "red", Urgency.TODAY.value: "yellow"}

NOT_SHOWN = frozenset({"block_hash", "taken_at_s"})
"""Facts of events that are not shown."""

AMOUNT = re.compile(r"\d+ (?:d|h|min|s)\b(?: \d+ (?:h|min|s)\b)?")
GLUE = "\0"
"""Replaces a blank while lines are wrapped; shown texts never contain it."""

Row = tuple[str, str, Colour]


def page(status: NodeStatus, width: int, paint: Paint) -> Iterator[str]:
    """The lines, none wider than ``width``, or than `WIDTH_MIN` where that is more."""
    width = max(width, WIDTH_MIN)
    yield from _wrapped(status.doing, width, paint, _colour_of(status))
    for label, text, colour in _rows(status):
        yield from _row(label, text, colour, width, paint)


def _colour_of(status: NodeStatus) -> Colour:
    urgencies = {fault.urgency for fault in status.faults}
    if Urgency.AT_ONCE.value in urgencies:
        return "red"
    return "yellow" if status.faults or status.waiting_for or status.staying_up else "green"


def _rows(status: NodeStatus) -> Iterator[Row]:
    for fault in status.faults:
        yield from _fault(fault, status.now_s)
    yield from _node(status)
    for wake in status.wakes:
        yield "waking", _wake(wake, status.now_s), ""
    yield from _deadlines(status)
    for event in status.events[-EVENTS_MAX:]:
        yield clock_time(event.at_s), _event(event), "bright_black"
    yield "powerd", status.version, ""


def _fault(fault: FaultStatus, now_s: float) -> Iterator[Row]:
    look = f"; look {fault.urgency}" if fault.urgency else ""
    since = f"since {_moment(fault.since_s, now_s)}, {_span(now_s - fault.since_s)} ago{look}"
    yield "FAULT", f"{fault.key}, {since}", COLOURS.get(fault.urgency, "yellow")
    yield "", fault.message, ""
    if fault.remedy:
        yield "  what to do", fault.remedy, ""


def _node(status: NodeStatus) -> Iterator[Row]:
    who = status.identity
    if who is None:
        return
    yield "node", f"{who.node} of farm {who.farm} (twin {who.twin})", ""
    yield "chain", _chain(status), ""
    yield "power-off", f"not enabled: {status.not_enabled}" if status.not_enabled else "enabled", ""
    if status.staying_up:
        yield "staying up", status.staying_up, ""
    if status.shutdown_step:
        yield "shutdown", f"{status.shutdown_step}: {STEPS.get(status.shutdown_step, '')}", "yellow"
    if status.uncredited is not None and status.shutdown_step:
        yield "24 hours", f"woken and reporting {_by(status.uncredited.report_by_s, status.now_s)}, it is paid for", ""
    elif status.uncredited is not None:
        yield "not paid", _not_paid(status.uncredited, status.now_s), "red"
    for hold in status.holds:
        yield "hold", _hold(hold, status.now_s), ""
    last, age_s = status.last_uptime, status.last_uptime_age_s or 0.0
    said = "not reported yet" if last is None else f"{_span(last.uptime_s + age_s)}, last reported {_span(age_s)} ago"
    yield "uptime", said, ""
    if status.proved_wake_at_s is not None:
        yield "woken", f"a wake was proved by the boot of {_moment(status.proved_wake_at_s, status.now_s)}", ""
    if status.problems:
        yield "unhealthy", ", ".join(status.problems), "red"


def _chain(status: NodeStatus) -> str:
    power = status.power
    if power is None:
        # A look without target and state had an answer that could not be decoded.
        return "not read yet" if status.looked_at_s is None else "its answer about this node can't be understood"
    since = f" since block {power.state.since_block}" if power.state.power is Power.DOWN else ""
    block = f", block {status.head.number}" if status.head is not None and status.head.number is not None else ""
    ago = "" if status.looked_at_s is None else f", read {_span(status.now_s - status.looked_at_s)} ago"
    return f"target {power.target.value}, state {power.state.power.value}{since}{block}{ago}"


def _not_paid(window: UncreditedStatus, now_s: float) -> str:
    since = f"uptime has not been credited since {_moment(window.since_s, now_s)}"
    if window.requested_at_s is None or window.boot_by_s is None:
        return f"{since}; shut down and woken {_by(window.report_by_s, now_s)}, nothing is lost"
    called = _moment(window.requested_at_s, now_s)
    return f"{since}; called Up at {called}, a boot {_by(window.boot_by_s, now_s)} loses nothing"


def _hold(hold: Hold, now_s: float) -> str:
    until = "no end" if hold.expires_at_s is None else f"until {_moment(hold.expires_at_s, now_s)}"
    return f"{hold.holder}: {hold.reason} ({until})"


def _wake(wake: WakeStatus, now_s: float) -> str:
    running = _span(wake.running_for_s)
    so_far = f"{wake.attempts} bursts in {running}" if wake.attempts else f"left to other nodes for {running}"
    overdue = ", overdue" if wake.overdue else ""
    return f"node {wake.node}: {so_far}{overdue}; to be credited it boots {_by(wake.boot_by_s, now_s)} ({wake.reason})"


def _deadlines(status: NodeStatus) -> Iterator[Row]:
    due, now_s = status.deadlines, status.now_s
    if due.look_s is not None and not status.shutdown_step:
        yield "next look", f"{_in(due.look_s, now_s)}, or at once on an event", ""
    if due.report_s is not None:
        paid = "" if due.report_by_s is None else f"; paid without a gap if taken {_by(due.report_by_s, now_s)}"
        yield "next report", f"{_in(due.report_s, now_s)}{paid}", ""


def event_line(event: EventStatus) -> str:
    return f"{clock_time(event.at_s)} {_event(event)}"


def _event(event: EventStatus) -> str:
    facts = ", ".join(f"{name} {value}" for name, value in event.facts.items() if name not in NOT_SHOWN)
    times = f" ({event.times} times)" if event.times > 1 else ""
    return f"{event.text}{times}: {facts}" if facts else f"{event.text}{times}"


# -- times -----------------------------------------------------------------------------------------


def _in(at_s: float, now_s: float) -> str:
    return "now" if at_s - now_s < 1 else f"in {_span(at_s - now_s)}"


def _by(at_s: float, now_s: float) -> str:
    left_s = at_s - now_s
    left = f"in {_span(left_s)}" if left_s >= 0 else f"{_span(-left_s)} ago"
    return f"by {_moment(at_s, now_s)} ({left})"


def _span(seconds: float) -> str:
    return shown_duration(seconds) if seconds >= 1 else "0 s"


def _moment(at_s: float, now_s: float) -> str:
    """The clock's time, with the date where that is another day's; local time."""
    same_day = local(at_s, "%F") == local(now_s, "%F")
    return local(at_s, "%H:%M" if same_day else "%F %H:%M")


def clock_time(at_s: float) -> str:
    return local(at_s, "%H:%M:%S")


# -- lines -----------------------------------------------------------------------------------------


def _row(label: str, text: str, colour: Colour, width: int, paint: Paint) -> Iterator[str]:
    for number, line in enumerate(_lines(text, width - LABEL_WIDTH)):
        before = f"{'' if number else label:<{LABEL_WIDTH}}"
        yield (before + paint(line, colour)).rstrip()


def _wrapped(text: str, width: int, paint: Paint, colour: Colour) -> Iterator[str]:
    for line in _lines(text, width):
        yield paint(line, colour)


def _lines(text: str, width: int) -> list[str]:
    """Wrap lines: an address or a path is split only when it is wider than the terminal, a duration never."""
    whole = AMOUNT.sub(lambda found: found[0].replace(" ", GLUE), one_line(with_local_times(text)))
    return [line.replace(GLUE, " ") for line in textwrap.wrap(whole, width, break_on_hyphens=False)] or [""]
