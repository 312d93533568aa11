"""What follows from a Down that did not end in a power-off: the node earns nothing until it has booted (R13).

Theory of operation. The minting opens a *down window* when our Down lands while the target is Down. It
closes with the first report of a boot after that, if there was a *boot request*: a target Up that came
while our state was Down (docs/minting.md). While the window is open, nothing that runs is credited.

======  =====  =========  ======  ===========  ====================================================
target  state  requested  booted  was Up       the window is
======  =====  =========  ======  ===========  ====================================================
Up      Down   now        yes     (not asked)  closed by the next report: forget it
Up      Down   now        no      (not asked)  open, and a reboot closes it
Up      Up     yes        yes     (not asked)  closed by the next report: forget it
Up      Up     yes        no      (not asked)  open, and a reboot closes it
Up      Up     no         yes     no           closed: the first look after a wake came late
Up      Up     no         yes     yes          open; only a new sleep and a new request close it
Up      Up     no         no      (not asked)  open; only a new sleep and a new request close it
Down    any    yes        yes     (not asked)  closed by the next report: forget it
Down    any    otherwise          (not asked)  open; the sleep that is wanted, and the wake, close it
broken  any    any        any     (not asked)  as before
======  =====  =========  ======  ===========  ====================================================

*Was Up*: the state Up was seen while the target was still Down, so a later target Up was no request.
*Booted*: this boot is another than the one that said Down, or it began after the window opened.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.domain.minting.month import BOOT_S_MAX, SLEEP_S_MAX
from app.domain.model import NodeId, NodePower, Power, Unreadable
from app.domain.moments import utc
from app.domain.rules.power import GuardRule, Observation, PowerLimits, best_head_off, held, not_enabled

CLOCK_S = 60
"""How far the block's time and this machine's may differ: the chain refuses reports beyond that."""


@dataclass(frozen=True, slots=True)
class DownWindow:
    """A Down of this node, as it is remembered. Times are the chain's where it tells them (Unix seconds).

    ``down_block`` and ``down_hash`` are where our Down was included, ``up_block`` where the Up after it was;
    None and empty where that is not known. ``sure``: the chain took the Down; before that it is an intent.
    """

    boot_id: str
    opened_at_s: float
    down_block: int | None = None
    down_hash: str = ""
    sure: bool = False
    requested_at_s: float | None = None
    was_up: bool = False
    up_block: int | None = None

    @property
    def boot_by_s(self) -> float | None:
        """Until when a boot credits all; None without a boot request."""
        return None if self.requested_at_s is None else self.requested_at_s + BOOT_S_MAX

    @property
    def report_by_s(self) -> float:
        """Until when the report after the boot has to be in."""
        return self.opened_at_s + SLEEP_S_MAX


@dataclass(frozen=True, slots=True)
class ThisBoot:
    """The boot that runs now, and when it began by the chain's time."""

    id: str
    at_s: float


def booted_since(window: DownWindow, boot: ThisBoot) -> bool:
    """Whether this machine booted after the window opened."""
    return window.boot_id != boot.id or boot.at_s > window.opened_at_s + CLOCK_S


def look_at(window: DownWindow, power: NodePower | Unreadable, boot: ThisBoot, now_s: float) -> DownWindow | None:
    """What is known of the window after this look at our own power; None: it is closed. See the table above."""
    if isinstance(power, Unreadable):
        return window
    down, wanted = power.state.power is Power.DOWN, power.target is Power.UP
    if wanted and down and window.requested_at_s is None:
        window = replace(window, sure=True, requested_at_s=now_s)
    if booted_since(window, boot) and (window.requested_at_s is not None or (wanted and not window.was_up)):
        return None
    if wanted:
        return window
    return replace(window, sure=window.sure or down, was_up=window.was_up or not down)


class Remedy(enum.Enum):
    """What closes an open window."""

    REBOOT = "a reboot"
    SLEEP = "the sleep that the farmer wants, and the wake after it"
    NEW_REQUEST = "a new sleep, and a new request"


def remedy_for(window: DownWindow, power: NodePower | Unreadable) -> Remedy | None:
    """None while the chain's answer is broken."""
    if isinstance(power, Unreadable):
        return None
    if power.target is Power.DOWN:
        return Remedy.SLEEP
    return Remedy.NEW_REQUEST if window.requested_at_s is None else Remedy.REBOOT


SETTING = "power_management.reboot_after_aborted_sleep"

REBOOT_GUARDS: Sequence[GuardRule] = (not_enabled, held, best_head_off)
"""Those of the power-off that a reboot has as well: doubt never reboots."""


def reboot_forbidden(seen: Observation, limits: PowerLimits) -> str:
    """Why this machine must not reboot now; empty when it may."""
    for guard in REBOOT_GUARDS:
        objection = guard(seen, limits)
        if objection is not None:
            return objection.reason
    return ""


def uncredited(window: DownWindow, node: NodeId, remedy: Remedy, forbidden: str) -> str:
    """The fault's text: since when, what ends it, and until when nothing is lost. Its times stand still."""
    since = f"uptime is not credited since {utc(window.opened_at_s)}: this node said Down and stayed on"
    all_by = utc(window.report_by_s)
    if remedy is Remedy.SLEEP:
        return (
            f"{since}; it goes to sleep as soon as nothing keeps it up (`powerd status` says what does); shut down "
            f"and woken by {all_by}, nothing is lost"
        )
    if remedy is Remedy.NEW_REQUEST:
        return (
            f"{since}, and its target turned Up only after it had said Up again, so that a reboot does not help; "
            f"set its target Down, and Up once it sleeps (powerd farm down {node}, powerd farm up {node}); "
            f"woken by {all_by}, nothing is lost"
        )
    boot_by = utc(window.report_by_s if window.boot_by_s is None else window.boot_by_s)
    what = f"it must reboot, and may not: {forbidden}" if forbidden else "it reboots"
    ends = f"a boot by {boot_by} loses nothing, a later one ends the loss"
    return f"{since}, and its target is Up again; {what}; {ends}"
