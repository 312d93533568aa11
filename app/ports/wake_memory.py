"""Storage of what proves that this node can be woken (R14)."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from app.domain.rules.proved_wake import Trial, WakeRecord


@runtime_checkable
class WakeMemory(Protocol):
    """Stores one record, and a trial that an operator allowed.

    Every method is bounded in time, and raises `WakeMemoryUnusable` with the reason.
    """

    async def load(self) -> WakeRecord:
        """The stored record; an empty one when there is none. A damaged one is logged, and counts as none."""
        ...

    async def save(self, record: WakeRecord) -> None:
        """Store it durably: after a power cut it is the old one or the new one."""
        ...

    async def trial(self) -> Trial | None:
        """The trial that was allowed last."""
        ...

    async def allow(self, trial: Trial) -> None:
        """Store it for the daemon, which may run as another user."""
        ...

    async def end_trial(self) -> None:
        """Remove the trial, if there is one."""
        ...
