"""A snapshot of what the node knows and does, for people and programs. No decision uses it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from app.domain.commands import Guard
from app.domain.model import Head, Hold, NodeId, NodeIdentity, NodePower, Power, UptimeSample
from app.domain.values import value


@value
class WakeStatus:
    """A wake in progress, with ``attempts`` bursts in ``running_for_s`` seconds.

    ``boot_by_s``: a node that boots later is not credited for its sleep, if it was called when the wake began.
    """

    node: NodeId
    reason: str
    attempts: int
    running_for_s: float
    overdue: bool
    boot_by_s: float = 0.0


@value
class UncreditedStatus:
    """A Down without a boot after it: no uptime is credited since. All times are the chain's, in Unix seconds.

    ``boot_by_s`` is None while there is no boot request, since a boot has no effect then.
    """

    since_s: float
    requested_at_s: float | None
    boot_by_s: float | None
    report_by_s: float


@value
class FaultStatus:
    """A fault with since when it lasts, and what `FaultKind` says of its key; empty texts for an unknown key."""

    key: str
    message: str
    since_s: float
    urgency: str = ""
    remedy: str = ""


@value
class EventStatus:
    """What happened ``times`` times in a row, the last time at ``at_s``; ``facts`` are those of the log."""

    at_s: float
    kind: str
    text: str
    facts: Mapping[str, str]
    times: int = 1


@value
class DeadlineStatus:
    """The next times of this node; None where one is not known.

    ``look_s``: the node looks at the chain by then, or sooner on an event. ``report_s``: the next uptime report.
    ``report_by_s``: a report that is taken by then leaves no gap that is not paid.
    """

    look_s: float | None = None
    report_s: float | None = None
    report_by_s: float | None = None


@value
class NodeStatus:
    """The whole snapshot, as of ``now_s``. ``power`` and ``head`` are None before the first look at the chain.

    Times are Unix seconds by this machine's clock, but those of `UncreditedStatus`.

    These texts are empty where they do not apply: ``waiting_for`` says why powerd does not know yet which
    node this is, ``not_enabled`` why it cannot power off, ``staying_up`` why it stays up (``guard`` is the kind of
    that), ``shutdown_step`` where a shutdown stands. ``problems`` are those of the node's health.
    """

    version: str
    waiting_for: str = ""
    identity: NodeIdentity | None = None
    not_enabled: str = ""
    power: NodePower | None = None
    head: Head | None = None
    looked_at_s: float | None = None
    staying_up: str = ""
    guard: Guard | None = None
    shutdown_step: str = ""
    uncredited: UncreditedStatus | None = None
    holds: tuple[Hold, ...] = ()
    last_uptime: UptimeSample | None = None
    last_uptime_age_s: float | None = None
    problems: tuple[str, ...] = ()
    wakes: tuple[WakeStatus, ...] = ()
    faults: tuple[FaultStatus, ...] = ()
    events: tuple[EventStatus, ...] = ()
    deadlines: DeadlineStatus = DeadlineStatus()
    now_s: float = 0.0
    proved_wake_at_s: float | None = None
    """The start of the boot that last proved a wake of this node (Unix seconds)."""

    @property
    def headline(self) -> str:
        """What the node does, in one line, for `powerd status` and `systemctl status`."""
        parts = [self.doing]
        if self.wakes:
            parts.append(f"waking node {_and(str(wake.node) for wake in self.wakes)}")
        return with_faults("; ".join(parts), [fault.key for fault in self.faults])

    @property
    def doing(self) -> str:
        """What this node does about its own power now, and why."""
        if self.waiting_for:
            return f"waiting to know which node this is: {self.waiting_for}"
        if self.shutdown_step:
            return f"shutting down: {self.shutdown_step}"
        if self.power is None:
            return f"up: {self.staying_up or 'the chain was not read yet'}"
        if self.power.target is Power.UP:
            return "up, as its target says"
        return f"up though its target is Down: {self.staying_up or 'about to go down'}"


NAMED_MAX = 3


def with_faults(doing: str, keys: Sequence[str]) -> str:
    """A headline, and behind it the faults."""
    if not keys:
        return doing
    return f"{doing}; {len(keys)} fault{'s' if len(keys) > 1 else ''}: {_and(keys)}"


def _and(names: Iterable[str]) -> str:
    """The first few; the line has to stay short."""
    every = list(names)
    more = len(every) - NAMED_MAX
    return ", ".join(every[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
