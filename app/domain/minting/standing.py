"""How much of the minting's deadlines a node has left now, without a read of its whole period."""

from __future__ import annotations

import enum

from app.domain.minting.limits import ABORTED_AFTER_S, BOOT_S_MAX, REPORT_GAP_S_MAX, SLEEP_S_MAX
from app.domain.minting.month import Month
from app.domain.model import NodePower, Power
from app.domain.values import value


class Unknown(enum.Enum):
    """The type of `UNKNOWN`, a value that is not known."""

    UNKNOWN = "?"


UNKNOWN = Unknown.UNKNOWN
Seconds = float | Unknown | None
"""A value, or not known (`UNKNOWN`); None: there is no such deadline."""


@value
class Known:
    """What the node's events show, read up to ``until_s`` (whole Unix seconds)."""

    until_s: int
    state: Power
    window_s: int | None
    request_s: int | None
    uncredited_since_s: int | None

    @classmethod
    def of(cls, month: Month, until_s: int) -> Known:
        """From a month with the events up to ``until_s``."""
        return cls(until_s, month.state, month.window_s, month.request_s, month.uncredited_since_s)


@value
class Seen:
    """A node as the chain has it now. ``since_s`` is when it said Down; None: not known.

    Its last sign of life was between ``sign_after_s`` and ``sign_before_s``; None: no sign was found.
    """

    power: NodePower
    since_s: float | None
    sign_after_s: float | None
    sign_before_s: float


@value
class Standing:
    """What is left of the 24 h of sleep and the 30 min of boot (s; negative: over); since when it earns nothing."""

    sleep_left_s: Seconds
    boot_left_s: Seconds
    uncredited_since_s: Seconds


class DeadlineKind(enum.Enum):
    """What a node has to do in time: report again, boot after it was called, or boot and report after its sleep."""

    REPORT = "report"
    BOOT = "boot"
    SLEEP = "sleep"


@value
class Deadline:
    """The deadline that ends first. ``left_s``: seconds left, at least; negative: it is missed; None: not known."""

    kind: DeadlineKind
    left_s: float | None


def next_deadline(seen: Seen, stands: Standing, now_s: float) -> Deadline | None:
    """None where the node has none. One whose time is not known comes before those that are not missed."""
    lefts = ((DeadlineKind.BOOT, stands.boot_left_s), (DeadlineKind.SLEEP, stands.sleep_left_s))
    found = [Deadline(kind, None if isinstance(left, Unknown) else left) for kind, left in lefts if left is not None]
    if seen.power.state.power is Power.UP:
        found.append(Deadline(DeadlineKind.REPORT, _report_left_s(seen, now_s)))
    return min(found, key=lambda each: each.left_s or 0.0, default=None)


def _report_left_s(seen: Seen, now_s: float) -> float | None:
    if (most_s := REPORT_GAP_S_MAX - (now_s - seen.sign_before_s)) < 0:
        return most_s
    # Its last sign of life is known up to the pace of the looks: 0 stands for "perhaps missed".
    return None if seen.sign_after_s is None else max(0.0, REPORT_GAP_S_MAX - (now_s - seen.sign_after_s))


def standing(seen: Seen, now_s: float, known: Known | None) -> Standing:
    """The standing by the node's events, if they are recent; else by its state on chain alone."""
    if known is not None and _is_fresh(known, seen, now_s):
        return Standing(
            _left(known.window_s, SLEEP_S_MAX, now_s),
            _left(known.request_s, BOOT_S_MAX, now_s),
            known.uncredited_since_s,
        )
    power = seen.power
    if power.state.power is Power.UP:
        # It may have said Up without a boot: only its events show that.
        return Standing(None, None, UNKNOWN)
    sleep_left_s = UNKNOWN if seen.since_s is None else _left(seen.since_s, SLEEP_S_MAX, now_s)
    return Standing(sleep_left_s, UNKNOWN if power.target is Power.UP else None, _uncredited_since(seen))


def _is_fresh(known: Known, seen: Seen, now_s: float) -> bool:
    """Whether the node cannot have changed its state, or booted and reported, since those events."""
    if known.state is not seen.power.state.power or now_s - known.until_s > REPORT_GAP_S_MAX:
        return False
    return known.state is Power.UP or (seen.since_s is not None and seen.since_s <= known.until_s)


def _left(since_s: float | None, s_max: int, now_s: float) -> float | None:
    return None if since_s is None else since_s + s_max - now_s


def _uncredited_since(seen: Seen) -> Seconds:
    """Since when it earns nothing: a node that said Down and reports later was not powered off."""
    if seen.since_s is None:
        return UNKNOWN
    asleep_from_s = seen.since_s + ABORTED_AFTER_S
    if seen.sign_after_s is not None and seen.sign_after_s > asleep_from_s:
        return seen.since_s
    return None if seen.sign_before_s <= asleep_from_s else UNKNOWN
