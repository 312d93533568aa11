"""A layer-2 segment in memory, with a record of all magic packets."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence

from app.domain.errors import MagicPacketNotSent, MagicPacketSentInPart
from app.domain.model import Mac
from app.domain.values import value
from app.ports.clock import Clock

Listener = Callable[[Mac], None]
"""Called once for each magic packet that arrives."""


@value
class SentPacket:
    """A magic packet that left its sender at ``at_s`` (`Clock.monotonic`); ``lost`` on its way or not."""

    at_s: float
    mac: Mac
    lost: bool = False


class SimulatedNetwork:
    """Carries magic packets at once to all listeners of their MAC, or loses them on request.

    Keeps the last ``keep_last`` packets for inspection; ``loses`` is asked of each whether it gets lost.
    """

    def __init__(self, clock: Clock, keep_last: int = 100_000) -> None:
        self._clock = clock
        self._sent: deque[SentPacket] = deque(maxlen=keep_last)
        self._listeners: defaultdict[Mac, list[Listener]] = defaultdict(list)
        self._to_lose: Counter[Mac] = Counter()
        self.loses: Callable[[Mac], bool] = _no
        self.carried = 0
        """Packets taken so far, lost ones included."""

    @property
    def sent(self) -> Sequence[SentPacket]:
        """All packets so far, oldest first."""
        return tuple(self._sent)

    def sent_to(self, mac: Mac) -> Sequence[float]:
        """When packets to ``mac`` were sent, lost ones included."""
        return tuple(packet.at_s for packet in self._sent if packet.mac == mac)

    def listen(self, mac: Mac, listener: Listener) -> None:
        """Call ``listener`` for each packet to ``mac`` that arrives."""
        self._listeners[mac].append(listener)

    def lose_next(self, mac: Mac, packets: int) -> None:
        """Lose the next packets to ``mac``, this many."""
        self._to_lose[mac] += packets

    def carry(self, mac: Mac) -> None:
        self.carried += 1
        lost = bool(self._to_lose) and self._to_lose[mac] > 0
        if lost:
            self._to_lose[mac] -= 1
        lost = lost or self.loses(mac)
        if self._sent.maxlen:
            self._sent.append(SentPacket(self._clock.monotonic(), mac, lost))
        if not lost:
            for listener in tuple(self._listeners.get(mac, ())):
                listener(mac)


def _no(_: Mac) -> bool:
    return False


class SimulatedMagicPackets:
    """`MagicPackets` of one sender on a `SimulatedNetwork`.

    ``failing`` makes every send fail; ``fail_next`` only the next ones, this many. ``broken_interfaces`` are further
    ones, by which no packet leaves: their names, and why.
    """

    def __init__(self, network: SimulatedNetwork) -> None:
        self._network = network
        self.failing = False
        self.fail_next = 0
        self.broken_interfaces: dict[str, str] = {}

    async def send(self, mac: Mac) -> None:
        if self.failing or self.fail_next > 0:
            self.fail_next = max(0, self.fail_next - 1)
            raise MagicPacketNotSent(f"the simulated network takes no packet to {mac}")
        self._network.carry(mac)
        if self.broken_interfaces:
            raise MagicPacketSentInPart(dict(self.broken_interfaces))

    async def close(self) -> None:
        """Do nothing."""
