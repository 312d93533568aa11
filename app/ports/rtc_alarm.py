"""The alarm of the machine's hardware clock, which switches the machine on."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class RtcAlarm(Protocol):
    """The machine's one alarm, which other programs use too.

    Every method is bounded in time, and raises `RtcUnusable` with the reason. All times are seconds
    from now by the hardware clock: that clock, and the system's, may be wrong or set to local time.
    """

    async def arm(self, ahead_s: int) -> None:
        """Set the alarm, and replace one that is set. `clear` restores that of another program."""
        ...

    async def due_in_s(self) -> int | None:
        """Read the alarm back; ``None`` when none is set."""
        ...

    async def mine(self) -> bool:
        """Whether the alarm that is set is one that `arm` set, in this boot or an earlier one."""
        ...

    async def clear(self) -> None:
        """Remove an alarm that `arm` set, and no other. Restore the one it replaced, if that is still ahead."""
        ...
