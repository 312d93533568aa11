"""Power-target events on the bus: one port to read them, one to publish them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from app.domain.events import Delivery, PowerTargetChanged


@runtime_checkable
class PowerEvents(Protocol):
    """Deliveries. The caller acknowledges each one after it handled it, or puts it aside as a dead letter.

    Any other delivery comes again after the next `open`. Every method raises
    `EventsUnavailable` when the bus does not answer in time.
    """

    async def open(self) -> None:
        """Connect again. Deliveries that were never acknowledged come again."""
        ...

    async def receive(self) -> Sequence[Delivery]:
        """The next batch; empty when nothing came within a few seconds, or right after `open`.

        An answer proves that the bus can be read; `open` alone does not. Cancelling loses no delivery.
        """
        ...

    async def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Mark as handled. A delivery that the bus no longer has is ignored."""
        ...

    async def dead_letter(self, delivery: Delivery, reason: str) -> None:
        """Append the entry with the reason to the dead-letter stream, then acknowledge it."""
        ...

    async def others(self, own: str) -> Sequence[str]:
        """Names of the other readers of the same stream; ``own`` is this reader's name, which they see.

        A reader is named after its second call of this method. A program that never calls it has no name:
        it is noticed by what it reads, after two calls that each followed an empty `receive`.
        """
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...


@runtime_checkable
class PowerEventsOut(Protocol):
    """Publishes events for the daemon of the same node."""

    async def reach(self) -> None:
        """Find out whether the stream's server answers. Raises `EventsUnavailable` if not."""
        ...

    async def publish(self, changes: Sequence[PowerTargetChanged]) -> None:
        """Append in order. Raises `EventsUnavailable` unless all are known to be in the stream."""
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...
