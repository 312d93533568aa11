"""What happened last in this daemon, for people who ask how it does."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.domain.status import EventStatus


@runtime_checkable
class RecentEvents(Protocol):
    """Kept in memory: a daemon that was restarted knows none."""

    def latest(self) -> tuple[EventStatus, ...]:
        """The last few, oldest first."""
        ...
