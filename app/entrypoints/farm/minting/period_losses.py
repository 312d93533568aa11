"""Collects what a ledger reports while events are fed to it, for display."""

from __future__ import annotations

from collections import Counter, defaultdict

from app.domain.minting.ledger import MonthLedger
from app.domain.minting.month import Booking, Loss
from app.domain.minting.period import Period
from app.domain.model import NodeId


class PeriodLosses:
    """A ledger, what each node lost and to what, and the bookings of the one node to be explained."""

    def __init__(self, period: Period, explain: NodeId | None) -> None:
        self.period = period
        self.explain = explain
        self.lost_s: defaultdict[int, Counter[Loss]] = defaultdict(Counter)
        self.bookings: list[Booking] = []
        self.certified: frozenset[int] = frozenset()
        """Nodes of which the grid wants 98 % instead of 95 %."""
        self.registered_s: dict[int, int] = {}
        """When the chain got the node's record (Unix seconds), of the nodes that it has one of."""
        self.ledger = MonthLedger(period, self._booked)

    def is_of(self, node: NodeId) -> bool:
        """Whether the node was there in the period."""
        return self.registered_s.get(node, 0) < self.period.end_s

    def registered_within(self, node: NodeId) -> int | None:
        """When the node was registered, if that was in the period."""
        at_s = self.registered_s.get(node, 0)
        return at_s if self.period.start_s < at_s < self.period.end_s else None

    def _booked(self, node: NodeId, booking: Booking) -> None:
        if booking.loss is not None:
            self.lost_s[node][booking.loss] += booking.lost_s
        if node == self.explain:
            self.bookings.append(booking)
