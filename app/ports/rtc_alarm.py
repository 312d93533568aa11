"""The alarm of the machine's hardware clock, which switches the machine on."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class RtcAlarm(Protocol):
    """The one alarm there is, which other programs use too. Every method is bounded in time, and raises
    `RtcUnusable`, saying why.

    All times are seconds ahead, counted by the hardware clock itself: that may be set to local
    time, or be wrong, and so may the system's.
    """

    async def arm(self, ahead_s: int) -> None:
        """Set the alarm, in place of one that is set; that of another program is remembered for `clear`."""
        ...

    async def due_in_s(self) -> int | None:
        """Read the alarm back; ``None`` when none is set."""
        ...

    async def mine(self) -> bool:
        """Whether the alarm that is set is one that `arm` set, in this boot or an earlier one."""
        ...

    async def clear(self) -> None:
        """Take away an alarm that `arm` set, and no other; put back what it took the place of, while that is ahead."""
        ...
