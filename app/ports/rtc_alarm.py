"""The alarm of the machine's hardware clock, which switches the machine on."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class RtcAlarm(Protocol):
    """One alarm. Every method is bounded in time, and raises `RtcUnusable`, saying why.

    All times are seconds ahead, counted by the hardware clock itself: that may be set to local
    time, or be wrong, and so may the system's.
    """

    async def arm(self, ahead_s: int) -> None:
        """Set the alarm, in place of one that is set."""
        ...

    async def due_in_s(self) -> int | None:
        """Read the alarm back; ``None`` when none is set."""
        ...

    async def clear(self) -> None:
        """Set no alarm."""
        ...
