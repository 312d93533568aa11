"""Wakes the farm's sleeping nodes, and keeps waking them until the chain shows them awake (R7).

`app.domain.rules.wake.step` decides; this service keeps the wakes, passes every input to it, and carries out its
decisions at once. One loop waits for wakes that are due, and starts a read of the chain for them. It never awaits that
read: the answer is an input like any other. So a chain that hangs delays no first burst (docs/adr/0002).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from app.domain.commands import DeferBurst, EndWake, SendBurst
from app.domain.events import WakeBurstStarted, WakeDeferred, WakeEnded
from app.domain.faults import FaultKind
from app.domain.model import NodeId, NodePower, Powers, Unreadable
from app.domain.rules.wake import (
    Due,
    Event,
    Input,
    Look,
    OwnPowerOff,
    Request,
    Terms,
    Wake,
    WakePolicy,
    sleepers_to_wake,
    step,
    worth_waiting,
)
from app.domain.services.context.node_context import NodeContext
from app.domain.services.context.trigger import Trigger
from app.domain.services.waking.bursts import Burst, Bursts
from app.domain.services.waking.farm_directory import FarmDirectory
from app.domain.services.waking.wake_order import WakeOrder
from app.domain.services.waking.wake_reads import WakeReads
from app.ports.magic_packets import MagicPackets

DEFERRED_LOOK_S = 50.0
"""Seconds between two looks at deferred sleepers: shorter than a turn, and few reads."""
UNANSWERED = Unreadable("the chain did not answer")


class WakeService:
    """Keeps all wakes of this node's farm."""

    def __init__(
        self,
        context: NodeContext,
        farm: FarmDirectory,
        order: WakeOrder,
        packets: MagicPackets,
        policy: WakePolicy,
    ) -> None:
        self._farm = farm
        self._reads = WakeReads(context, farm, order)
        self._order = order
        self.bursts = Bursts(context, packets, policy)
        self._clock = context.clock
        self._faults = context.faults
        self._telemetry = context.telemetry
        self._policy = policy
        self._terms = Terms(policy, order.turn_s, context.jitter)
        self._wakes: dict[NodeId, Wake] = {}
        self._being_read: set[NodeId] = set()
        self._changed = Trigger(context.clock)
        self._deferred_changed = Trigger(context.clock)

    @property
    def unfinished(self) -> tuple[NodeId, ...]:
        """The sleepers for which this node's own power-off waits."""
        return tuple(wake.node for wake in self._wakes.values() if worth_waiting(wake, self._policy))

    @property
    def wakes(self) -> tuple[Wake, ...]:
        """The wakes under way, for display, without those of nodes that may be awake and are deferred."""
        return tuple(wake for wake in self._wakes.values() if wake.saw_down or not wake.deferred)

    def is_overdue(self, wake: Wake) -> bool:
        return wake.is_overdue(self._policy)

    # -- inputs ------------------------------------------------------------------------------------
    def on_event(self, powers: Powers) -> None:
        """Take the power of nodes that events named, as read from the chain afterwards."""
        self._order.saw(powers)
        self._take({node: Event(power) for node, power in powers.items()})

    def on_look(self, powers: Powers, *, asked_at_s: float) -> None:
        """Take the power of these peers as read from the chain without a new event.

        The read began at ``asked_at_s`` (monotonic seconds); an event since then is newer.
        """
        self._order.saw(powers)
        self._look(powers, asked_at_s)

    def on_look_at_all(self, powers: Powers, *, asked_at_s: float) -> None:
        """As `on_look`, for all peers: a node that is not among them left the farm."""
        self._order.saw_all(powers)
        self._take({node: Look(None, asked_at_s) for node in self._wakes if node not in powers})
        self._look(powers, asked_at_s)

    def on_own_power(self, power: NodePower | Unreadable) -> None:
        """Take this node's power. If this node is about to power off, its deferred bursts are due now."""
        self._order.saw_own(power)
        if self._order.leaving:
            self._take(dict.fromkeys(self._wakes, OwnPowerOff()))

    def request(self, node: NodeId, reason: str) -> None:
        """Begin a wake, or send a burst of the one that is under way, at once."""
        self._take({node: Request(reason)})

    # -- what they do ------------------------------------------------------------------------------
    def _look(self, powers: Powers, asked_at_s: float) -> None:
        """Most nodes need no wake at most looks: those take no step."""
        concerned = {*sleepers_to_wake(powers), *(self._wakes.keys() & powers.keys())}
        if concerned:
            self._take({node: Look(power, asked_at_s) for node, power in powers.items() if node in concerned})

    def _take(self, inputs: Mapping[NodeId, Input]) -> None:
        """Make one step of each wake; the bursts that follow start together."""
        if not inputs:
            return
        now_s = self._clock.monotonic()
        bursts: list[Burst] = []
        changed = False
        for node, happened in inputs.items():
            before = self._wakes.get(node)
            wake, command = step(before, node, happened, now_s, self._terms)
            changed = changed or wake is not before
            if wake is not None:
                self._wakes[node] = wake
            match command:
                case SendBurst():
                    assert wake is not None
                    bursts += self._burst(wake)
                case DeferBurst(_, for_s):
                    self._telemetry.record(WakeDeferred(node, for_s))
                    self._deferred_changed.pull("deferred")
                case EndWake(_, count, outcome):
                    took_s = now_s - self._wakes.pop(node).began_at_s
                    self._faults.clear(FaultKind.NODE_ASLEEP.key(node))
                    self._faults.clear(FaultKind.NODE_MAC.key(node))
                    self._telemetry.record(WakeEnded(node, count, outcome, took_s))
        self.bursts.start(bursts)
        if changed:
            self._changed.pull("input")

    def _burst(self, wake: Wake) -> Sequence[Burst]:
        """The burst. For a node without a usable address there is none, but a fault that names the node."""
        node = wake.node
        if wake.is_overdue(self._policy):
            self._faults.report(
                FaultKind.NODE_ASLEEP.key(node),
                f"node {node} did not wake within {self._policy.deadline_s / 60:.0f} min; look at its power, "
                "its cable, and Wake-on-LAN in its firmware (powerd goes on waking it)",
            )
        record = self._farm.known(node)
        if record is None or record.mac is None:
            absent = "can't be read" if self._farm.is_unreadable(node) else "was not found"
            problem = f"its record on chain {absent}" if record is None else record.mac_problem
            self._faults.report(FaultKind.NODE_MAC.key(node), f"node {node} can't be woken: {problem}")
            return []
        self._faults.clear(FaultKind.NODE_MAC.key(node))
        return [Burst(record.mac, WakeBurstStarted(node, wake.bursts, wake.reason))]

    # -- what is due -------------------------------------------------------------------------------
    async def run(self) -> None:
        """Send bursts when they are due; runs until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.bursts.run(), name="wake: bursts")
            group.create_task(self._serve_due(group), name="wake: due")
            group.create_task(self._watch_deferred(), name="wake: deferred")

    async def _serve_due(self, group: asyncio.TaskGroup) -> None:
        while True:
            now_s = self._clock.monotonic()
            waiting = self._waiting()
            due = [wake for wake in waiting if wake.due_at_s <= now_s]
            deferred = [wake for wake in due if wake.deferred]
            calling = [wake for wake in due if not wake.deferred][: self._farm.nodes_at_once]
            for wakes in filter(None, (deferred, calling)):
                self._being_read.update(wake.node for wake in wakes)
                group.create_task(self._read(wakes), name="wake: read")
            if due:
                waiting = self._waiting()
            next_s = min([wake.due_at_s for wake in waiting], default=None)
            await self._changed.wait(None if next_s is None else max(0.0, next_s - now_s))

    def _waiting(self) -> Sequence[Wake]:
        """The wakes for which a read can start; of those that this node calls, one read is in flight at a time."""
        calling_is_read = any(not self._wakes[node].deferred for node in self._being_read if node in self._wakes)
        return [
            wake
            for wake in self._wakes.values()
            if wake.node not in self._being_read and (wake.deferred or not calling_is_read)
        ]

    async def _read(self, wakes: Sequence[Wake]) -> None:
        """A first burst that is due waits only briefly for the chain; a later burst waits for the chain's answer."""
        asked_at_s = self._clock.monotonic()
        read = self._reads.read_in_time if wakes[0].deferred else self._reads.read
        powers = await read(wakes)
        self._being_read.difference_update(wake.node for wake in wakes)
        self._changed.pull("read")
        self._take({wake.node: Due(powers.get(wake.node, UNANSWERED), asked_at_s) for wake in wakes})

    async def _watch_deferred(self) -> None:
        """Look at deferred sleepers from time to time: other nodes may have woken them."""
        while True:
            if not await self._deferred_changed.wait(DEFERRED_LOOK_S if self._deferred else None) and self._deferred:
                asked_at_s = self._clock.monotonic()
                self._look(await self._reads.read_in_time(self._deferred), asked_at_s)

    @property
    def _deferred(self) -> list[Wake]:
        return [wake for wake in self._wakes.values() if wake.deferred and wake.saw_down]
