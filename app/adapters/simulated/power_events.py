"""An event bus in memory: a stream with one consumer, pending entries, and dead letters."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

from app.domain.errors import EventsUnavailable
from app.domain.events import Delivery, Malformed, PowerTargetChanged
from app.ports.clock import Clock

BLOCK_S = 3.0


class SimulatedStream:
    """The server's data, which outlives the consumer, and is lost on request."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._count = 0
        self._new: list[Delivery] = []
        self.pending: dict[str, Delivery] = {}
        self.dead: list[tuple[Delivery, str]] = []
        self.arrived = asyncio.Event()
        self.readers: dict[int, str] = {}

    def append(self, *contents: PowerTargetChanged | Malformed, age_s: float = 0.0) -> None:
        """Add entries, as old as ``age_s``."""
        for content in contents:
            self._count += 1
            at_s = self._clock.now() - age_s
            self._new.append(Delivery(f"{int(at_s * 1000)}-{self._count}", at_s, content))
        self.arrived.set()

    def take_new(self, most: int) -> list[Delivery]:
        """Deliver: from now on they are pending."""
        batch, self._new = self._new[:most], self._new[most:]
        self.pending.update((delivery.id, delivery) for delivery in batch)
        if not self._new:
            self.arrived.clear()
        return batch

    @property
    def idle(self) -> bool:
        return not (self.pending or self._new)

    @property
    def waiting(self) -> Iterator[Delivery]:
        """Entries not acknowledged yet, delivered or not."""
        yield from self.pending.values()
        yield from self._new

    def lose_everything(self) -> None:
        """Lose all data, as a server that restarts without its data."""
        self._new.clear()
        self.pending.clear()
        self.arrived.clear()


class SimulatedPowerEvents:
    """`PowerEvents` and `PowerEventsOut` on a `SimulatedStream`.

    Switches: ``unavailable``, ``unreadable`` (it can be opened, and nothing else), ``hides_readers``,
    ``full`` (nothing can be written), ``refuse_acknowledging``. ``on_acknowledge`` is called at every acknowledgement.
    """

    def __init__(self, stream: SimulatedStream, clock: Clock, *, batch: int = 128, block_s: float = BLOCK_S) -> None:
        self._stream = stream
        self._clock = clock
        self._batch = batch
        self._block_s = block_s
        self._redeliver: list[Delivery] = []
        self._broken = asyncio.Event()
        self._connected = False
        self.on_acknowledge: Callable[[Sequence[Delivery]], None] = _ignore
        self.full = False
        self.unreadable = False
        self.hides_readers = False
        self._opened = False
        self.refuse_acknowledging = False
        self._unavailable = False

    @property
    def unavailable(self) -> bool:
        return self._unavailable

    @unavailable.setter
    def unavailable(self, value: bool) -> None:
        self._unavailable = value
        if value:
            self.drop_connection()

    def drop_connection(self) -> None:
        """Break the connection; it can be opened again unless the bus is away."""
        self._connected = False
        self._broken.set()
        self._stream.arrived.set()

    async def open(self) -> None:
        """Deliver what is pending again."""
        self._check_bus()
        self._connected = self._opened = True
        self._broken.clear()
        self._redeliver = list(self._stream.pending.values())

    async def receive(self) -> Sequence[Delivery]:
        """Pending entries first, then new ones, without a wait right after `open`."""
        self._check()
        if self.unreadable:
            raise EventsUnavailable("the simulated bus refuses to be read")
        opened, self._opened = self._opened, False
        if self._redeliver:
            batch, self._redeliver = self._redeliver[: self._batch], self._redeliver[self._batch :]
            return batch
        if opened:
            return self._stream.take_new(self._batch)
        try:
            async with self._clock.timeout(self._block_s):
                await self._stream.arrived.wait()
        except TimeoutError:
            return ()
        self._check()
        return self._stream.take_new(self._batch)

    async def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        self._check()
        if self.refuse_acknowledging:
            raise EventsUnavailable("the simulated bus takes no acknowledgement")
        self.on_acknowledge(deliveries)
        for delivery in deliveries:
            self._stream.pending.pop(delivery.id, None)

    async def dead_letter(self, delivery: Delivery, reason: str) -> None:
        self._check()
        if self.full:
            raise EventsUnavailable("the simulated bus is full")
        self._stream.dead.append((delivery, reason))
        self._stream.pending.pop(delivery.id, None)

    async def reach(self) -> None:
        self._check_bus()

    async def publish(self, changes: Sequence[PowerTargetChanged]) -> None:
        self._check_bus()
        if self.full:
            raise EventsUnavailable("the simulated bus is full")
        self._stream.append(*changes)

    async def others(self, own: str) -> Sequence[str]:
        """Those that asked and did not close."""
        self._check()
        if self.hides_readers:
            raise EventsUnavailable("the simulated bus does not list its readers")
        self._stream.readers[id(self)] = own
        return sorted(name for reader, name in self._stream.readers.items() if reader != id(self))

    async def close(self) -> None:
        self._stream.readers.pop(id(self), None)
        self._connected = False

    def _check(self) -> None:
        self._check_bus()
        if not self._connected:
            raise EventsUnavailable("not connected to the simulated bus")

    def _check_bus(self) -> None:
        if self._unavailable:
            raise EventsUnavailable("the simulated bus is away")


def _ignore(_: Sequence[Delivery]) -> None:
    """For a stream without a listener."""
