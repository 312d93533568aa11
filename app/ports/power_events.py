"""Power-target events on the bus: one port to hear them, one to publish them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from app.domain.events import Delivery, PowerTargetChanged


@runtime_checkable
class PowerEvents(Protocol):
    """Deliveries, each to be acknowledged after it was handled, or put aside as a dead letter.

    A delivery that is neither comes again after the next `open`. Every method raises
    `EventsUnavailable` when the bus does not answer in time.
    """

    async def open(self) -> None:
        """(Re)connect; what was delivered earlier and never acknowledged is delivered again."""
        ...

    async def receive(self) -> Sequence[Delivery]:
        """The next batch; empty when nothing came within a few seconds, or right after `open`.

        Only this proves that the bus can be read. Cancelling loses nothing.
        """
        ...

    async def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """These were handled. Harmless for a delivery the bus no longer knows."""
        ...

    async def dead_letter(self, delivery: Delivery, reason: str) -> None:
        """Keep the entry, with the reason, on the dead-letter stream; then acknowledge it."""
        ...

    async def others(self, own: str) -> Sequence[str]:
        """Names of the others that read the same stream now; ``own`` is the name that they see of this reader.

        Those that ask this themselves are named, after they asked twice. Another program has no name; the bus
        may notice it, after two looks that each followed a `receive` which waited in vain.
        """
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...


@runtime_checkable
class PowerEventsOut(Protocol):
    """Publishes events for the daemon of the same node."""

    async def publish(self, changes: Sequence[PowerTargetChanged]) -> None:
        """Append in order; `EventsUnavailable` when not all are known to be on the stream."""
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...
