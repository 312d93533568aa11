"""The months of all nodes in one period, computed from events in the order of their time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from app.domain.errors import PermanentError
from app.domain.minting.events import Event, Initial, NodeUptimeReported, PowerTargetChanged, TimedEvent
from app.domain.minting.month import Booking, Month, beginning
from app.domain.minting.period import Period
from app.domain.minting.rules import Step, closed, so_far, step
from app.domain.model import NodeId, Power


class EventOutOfPlace(PermanentError):
    """An event that is older than one of the same node before it."""


class MonthLedger:
    """The months. Power events before the period decide how a node begins it; reports before it do not count.

    ``on_booking`` is called with each decision about a node's time.
    """

    def __init__(self, period: Period, on_booking: Callable[[NodeId, Booking], None] | None = None) -> None:
        self._period = period
        self._on_booking = on_booking
        self._months: dict[NodeId, Month] = {}
        self._initials: dict[NodeId, Initial] = {}
        self._latest_s: dict[NodeId, int] = {}

    def add(self, event: Event) -> None:
        """Add one event. Raises `EventOutOfPlace` when it is older than an earlier one of the same node."""
        node = event.node
        if isinstance(event, Initial):
            if node in self._latest_s or node in self._initials:
                raise EventOutOfPlace(f"the initial state of node {node} must come once, before its events")
            self._initials[node] = event
            return
        latest_s = self._latest_s.get(node, event.time_s)
        if event.time_s < latest_s:
            raise EventOutOfPlace(f"the event of node {node} at {event.time_s} comes after one at {latest_s}")
        self._latest_s[node] = event.time_s
        if event.time_s < self._period.start_s:
            self._initials[node] = _begins_as(self._initials.get(node), event)
            return
        month, booking = step(self.month(node), event, self._period)
        self._months[node] = month
        if booking is not None and self._on_booking is not None:
            self._on_booking(node, booking)

    def month(self, node: NodeId) -> Month:
        """The node's month after the events so far."""
        known = self._months.get(node)
        return beginning(node, self._period, self._initials.get(node)) if known is None else known

    @property
    def nodes(self) -> tuple[NodeId, ...]:
        """All nodes of which there was an event, ascending."""
        return tuple(sorted(self._latest_s.keys() | self._initials.keys()))

    def close(self, node: NodeId) -> Month:
        """The node's month at the end, when no more events come."""
        return self._end(node, closed(self.month(node), self._period))

    def so_far(self, node: NodeId, now_s: int) -> Month:
        """The node's month as it stands at ``now_s``. No event can be added after this call."""
        return self._end(node, so_far(self.month(node), now_s, self._period))

    def _end(self, node: NodeId, end: Step) -> Month:
        self._months[node], booking = end
        if booking is not None and self._on_booking is not None:
            self._on_booking(node, booking)
        return self._months[node]


def _begins_as(before: Initial | None, event: TimedEvent) -> Initial:
    before = before or Initial(event.node, Power.UP, Power.UP)
    if isinstance(event, NodeUptimeReported):
        return before
    if isinstance(event, PowerTargetChanged):
        return replace(before, target=event.target)
    if event.state is before.state:
        return before
    return replace(before, state=event.state, since_s=event.time_s if event.state is Power.DOWN else None)
