"""The last events of this daemon, for its status."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.domain.status import EventStatus


@runtime_checkable
class RecentEvents(Protocol):
    """In memory only: a daemon that was restarted knows none."""

    def latest(self) -> tuple[EventStatus, ...]:
        """The last few, oldest first."""
        ...
