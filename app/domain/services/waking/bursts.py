"""Sends bursts of magic packets side by side; none delays another (R7)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from app.domain.errors import MagicPacketNotSent, MagicPacketSentInPart
from app.domain.events import WakeBurstStarted
from app.domain.faults import FaultKind
from app.domain.measurements import MagicPacketTried
from app.domain.model import Mac
from app.domain.rules.wake import WakePolicy
from app.domain.services.context.node_context import NodeContext
from app.domain.values import value
from app.ports.magic_packets import MagicPackets

FAULT = FaultKind.MAGIC_PACKETS.key()
"""The fault that no packet leaves. A suffix ``-INTERFACE`` means: by this interface only, while others work."""

RECORDED_AT_ONCE = 16
"""With more records, other tasks run after each: a record takes several times as long as its packet, and the records of
a large farm would delay the next packets."""

SENT = MagicPacketTried(sent=True)
NONE_FAILED: Mapping[str, str] = MappingProxyType({})


@value
class Burst:
    """One node's part of a round of packets, and the record that telemetry gets of it."""

    mac: Mac
    started: WakeBurstStarted


class Bursts:
    """Sends bursts that start together in one task."""

    def __init__(
        self,
        context: NodeContext,
        packets: MagicPackets,
        policy: WakePolicy,
    ) -> None:
        self._packets = packets
        self._clock = context.clock
        self._faults = context.faults
        self._telemetry = context.telemetry
        self._policy = policy
        self._failing: set[str] = set()
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._group: asyncio.TaskGroup | None = None
        self._early: list[Sequence[Burst]] = []

    def start(self, bursts: Sequence[Burst]) -> None:
        """Start bursts; they are in flight from now on. Bursts that start before `run` are sent when it begins."""
        if not bursts:
            return
        self._in_flight += 1
        self._idle.clear()
        if self._group is None:
            self._early.append(bursts)
        else:
            self._group.create_task(self._send(bursts), name="wake: burst")

    async def run(self) -> None:
        """Send the started bursts; runs until cancelled."""
        async with asyncio.TaskGroup() as group:
            for bursts in self._early:
                group.create_task(self._send(bursts), name="wake: burst")
            self._early.clear()
            self._group = group
            await asyncio.Event().wait()

    async def _send(self, bursts: Sequence[Burst]) -> None:
        """Send ``packets`` rounds, ``packet_interval_s`` apart, the first at once."""
        try:
            await self._send_first(bursts)
            for _ in range(self._policy.packets - 1):
                await self._clock.sleep(self._policy.packet_interval_s)
                for burst in bursts:
                    await self._send_one(burst.mac)
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()

    async def _send_first(self, bursts: Sequence[Burst]) -> None:
        """Send all packets before telemetry gets the first record; between many records, let other tasks run."""
        left: deque[WakeBurstStarted] = deque()
        try:
            for burst in bursts:
                if await self._send_one(burst.mac):
                    left.append(burst.started)
            while len(left) > RECORDED_AT_ONCE:
                self._telemetry.record(left.popleft())
                await asyncio.sleep(0)
        finally:
            for started in left:
                self._telemetry.record(started)

    async def finish(self) -> None:
        """Wait until no burst is in flight, for little longer than one burst at most."""
        try:
            async with self._clock.timeout(self._policy.burst_s + 1.0):
                await self._idle.wait()
        except TimeoutError:
            # New bursts keep starting; those that were in flight have been sent.
            return

    async def _send_one(self, mac: Mac) -> bool:
        """Whether the packet left by any interface. An interface that failed is a fault of its own."""
        reasons = NONE_FAILED
        try:
            await self._packets.send(mac)
        except MagicPacketSentInPart as error:
            reasons = error.reasons
        except MagicPacketNotSent as error:
            self._faults.report(FAULT, f"waking peers does not work: {error}")
            self._telemetry.measure(MagicPacketTried(sent=False))
            return False
        self._telemetry.measure(SENT)
        self._faults.clear(FAULT)
        if self._failing or reasons:
            self._report_interfaces(reasons)
        return True

    def _report_interfaces(self, reasons: Mapping[str, str]) -> None:
        for interface in self._failing - reasons.keys():
            self._faults.clear(FaultKind.MAGIC_PACKETS_BEHIND.key(interface))
        for interface, reason in reasons.items():
            self._faults.report(
                FaultKind.MAGIC_PACKETS_BEHIND.key(interface),
                f"waking peers behind {interface} does not work: {reason}",
            )
        self._failing = set(reasons)
