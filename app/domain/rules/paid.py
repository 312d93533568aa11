"""A Down that did not end in a power-off: the node earns nothing until it has booted (R13).

Theory of operation. The minting opens a *down window* when our Down is included while the target is
Down. The first report of a later boot closes it, if there was a *boot request*: a target Up that came
while our state was Down (docs/minting.md). While the window is open, no uptime is credited.

======  =====  =========  ======  ===========  ====================================================
target  state  requested  booted  was Up       the window is
======  =====  =========  ======  ===========  ====================================================
Up      Down   now        yes     (not asked)  closed by the next report: remove it
Up      Down   now        no      (not asked)  open, and a reboot closes it
Up      Up     yes        yes     (not asked)  closed by the next report: remove it
Up      Up     yes        no      (not asked)  open, and a reboot closes it
Up      Up     no         yes     no           closed: the first look after a wake came late
Up      Up     no         yes     yes          open; only a new sleep and a new request close it
Up      Up     no         no      (not asked)  open; only a new sleep and a new request close it
Down    any    yes        yes     (not asked)  closed by the next report: remove it
Down    any    otherwise          (not asked)  open; the sleep to come, and its wake, close it
broken  any    any        any     (not asked)  as before
======  =====  =========  ======  ===========  ====================================================

*Was Up*: a look saw the state Up while the target was still Down, so a later target Up is no request.
*Booted*: this boot is not the one that said Down, or it began after the window opened.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import replace

from app.domain.minting.limits import BOOT_S_MAX, SLEEP_S_MAX
from app.domain.model import NodeId, NodePower, Power, Unreadable
from app.domain.moments import utc
from app.domain.rules.power import GuardRule, Observation, PowerLimits, best_head, held, not_enabled
from app.domain.values import value

CLOCK_S = 60
"""How far this machine's clock may differ from a block's time: the chain refuses reports beyond that."""


@value
class DownWindow:
    """The stored record of this node's Down. Times are Unix seconds, of the chain where it has them.

    ``down_block`` and ``down_hash`` are the block that included our Down, ``up_block`` is that of the Up
    after it; None and empty where not known. ``sure``: the Down was included. Before that it is only
    planned.
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
        """Until when a boot credits the whole sleep; None without a boot request."""
        return None if self.requested_at_s is None else self.requested_at_s + BOOT_S_MAX

    @property
    def report_by_s(self) -> float:
        """Until when the report after the boot must be included."""
        return self.opened_at_s + SLEEP_S_MAX


@value
class ThisBoot:
    """The current boot, and when it began, in the chain's time."""

    id: str
    at_s: float


def booted_since(window: DownWindow, boot: ThisBoot) -> bool:
    """Whether this machine booted after the window opened."""
    return window.boot_id != boot.id or boot.at_s > window.opened_at_s + CLOCK_S


def look_at(window: DownWindow, power: NodePower | Unreadable, boot: ThisBoot, now_s: float) -> DownWindow | None:
    """The window after this look at our own power, by the table above; None: it is closed."""
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
    """What closes the window; None while the chain's answer cannot be read."""
    if isinstance(power, Unreadable):
        return None
    if power.target is Power.DOWN:
        return Remedy.SLEEP
    return Remedy.NEW_REQUEST if window.requested_at_s is None else Remedy.REBOOT


SETTING = "power_management.reboot_after_aborted_sleep"

REBOOT_GUARDS: Sequence[GuardRule] = (not_enabled, held, best_head)
"""The guards of a power-off that hold for a reboot too: doubt never reboots."""


def reboot_forbidden(seen: Observation, limits: PowerLimits) -> str:
    """Why this machine must not reboot now; empty when it can."""
    for guard in REBOOT_GUARDS:
        objection = guard(seen, limits)
        if objection is not None:
            return objection.reason
    return ""


def uncredited(window: DownWindow, node: NodeId, remedy: Remedy, forbidden: str) -> str:
    """The fault's text: since when, what ends it, and until when nothing is lost. It is the same at each look."""
    since = (
        f"uptime has not been credited since {utc(window.opened_at_s)}: this node said Down, and stayed on, or was "
        "woken while its target was Down"
    )
    all_by = utc(window.report_by_s)
    if remedy is Remedy.SLEEP:
        return (
            f"{since}; it goes to sleep as soon as no guard keeps it up (`powerd status` names the guard); if it is "
            f"shut down and woken by {all_by}, nothing is lost"
        )
    if remedy is Remedy.NEW_REQUEST:
        return (
            f"{since}, and its target turned Up only after it had said Up again, so that a reboot does not help; "
            f"set its target Down, and Up once it sleeps (powerd farm down {node}, powerd farm up {node}); "
            f"if it is woken by {all_by}, nothing is lost"
        )
    boot_by = utc(window.report_by_s if window.boot_by_s is None else window.boot_by_s)
    what = f"it must reboot, and a guard forbids it: {forbidden}" if forbidden else "it reboots"
    ends = f"a boot by {boot_by} loses nothing, a later one ends the loss"
    return f"{since}, and its target is Up again; {what}; {ends}"
