"""Wakes the farm's sleeping nodes, and keeps waking them until the chain shows them awake (R7).

Three loops share the wakes. One sends first bursts at once and waits for nothing. One looks after
first bursts that were held back because others call first: when their turn has come, it reads the
chain, not for long, and sends or ends them. One looks after the wakes that fall due again, reads them
all in one batch, and sends or ends them. So a chain that hangs delays no first burst.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from app.domain.backoff import Jitter
from app.domain.commands import EndWake
from app.domain.events import WakeBurstStarted, WakeEnded, WakeHeldBack
from app.domain.model import NodeId, NodePower, Unreadable
from app.domain.services.bursts import Burst, Bursts
from app.domain.services.trigger import Trigger
from app.domain.services.turns import Powers, Turns
from app.domain.services.wake_faults import WakeFaults
from app.domain.services.wake_looks import WakeLooks
from app.domain.wake_rules import (
    HINTED_BURSTS,
    Wake,
    WakePolicy,
    may_be_wanted_up,
    next_step,
    retry_delay_s,
    wants_waking,
    worth_waiting,
)
from app.ports.clock import Clock
from app.ports.telemetry import Telemetry

IDLE_S = 3600.0
LEFT_LOOK_S = 50.0
"""Between two looks at those that are left to others: more often than their turns come, and seldom enough."""
UNASKED = Unreadable("the chain can't be asked now")


class WakeService:
    """All wakes of this node's farm."""

    def __init__(
        self,
        looks: WakeLooks,
        turns: Turns,
        bursts: Bursts,
        clock: Clock,
        faults: WakeFaults,
        telemetry: Telemetry,
        policy: WakePolicy,
        jitter: Jitter,
    ) -> None:
        self._looks = looks
        self._turns = turns
        self._bursts = bursts
        self._clock = clock
        self._faults = faults
        self._telemetry = telemetry
        self._policy = policy
        self._jitter = jitter
        self._wakes: dict[NodeId, Wake] = {}
        self._fresh: dict[NodeId, NodePower | Unreadable] = {}
        self._fresh_ones = Trigger(clock)
        self._turns_changed = Trigger(clock)
        self._left_changed = Trigger(clock)
        self._due_changed = Trigger(clock)

    @property
    def unfinished(self) -> tuple[NodeId, ...]:
        """Nodes being woken that are worth waiting for."""
        return tuple(wake.node for wake in self._wakes.values() if worth_waiting(wake))

    @property
    def wakes(self) -> tuple[Wake, ...]:
        """All that are under way, for people to see; but for nodes that may be awake, and that others call first."""
        return tuple(wake for wake in self._wakes.values() if wake.saw_down or not wake.held_back)

    def hint(self, powers: Powers) -> None:
        """Events named these nodes, and this is what the chain said of them afterwards.

        Each that may be wanted up gets a burst at once, unless one is in flight, or it is the turn of
        others. Its delay runs on whatever comes.
        """
        now = self._clock.monotonic()
        self._turns.saw(powers)
        for node, power in powers.items():
            wake = self._wakes.get(node)
            if wake is None:
                if may_be_wanted_up(power):
                    self._begin(node, "its target changed", power, hinted=True)
                continue
            if may_be_wanted_up(power):
                wake.news_at_s = now
            if wake.held_back and isinstance(power, NodePower) and not isinstance(next_step(wake, power), EndWake):
                wake.saw_down = wake.saw_down or wants_waking(power)
                self._hasten(wake)
            elif now - wake.last_burst_at_s >= self._policy.burst_s:
                wake.bursts = 0
                self._act_now(node, power)

    def look(self, powers: Powers, *, asked_at_s: float) -> None:
        """This is what the chain says of these peers, with no fresh event behind it.

        It was asked at ``asked_at_s`` (monotonic); what an event said meanwhile is newer.
        """
        self._turns.saw(powers)
        self._look(powers, asked_at_s)

    def _look(self, powers: Powers, asked_at_s: float) -> None:
        for node, power in powers.items():
            wake = self._wakes.get(node)
            if wake is None:
                if wants_waking(power):
                    self._begin(node, "target Up, state Down", power)
            elif wake.news_at_s > asked_at_s:
                continue
            elif isinstance(next_step(wake, power), EndWake):
                self._act_now(node, power)
            elif wake.held_back:
                self._hasten(wake)

    def look_at_all(self, powers: Powers, *, asked_at_s: float) -> None:
        """As `look`, but these are all peers there are: who is not among them left the farm."""
        self._turns.saw_all(powers)
        for wake in [wake for wake in self._wakes.values() if wake.node not in powers]:
            if wake.news_at_s <= asked_at_s:
                self._end(wake, "it left the farm")
        self._look(powers, asked_at_s)

    def look_at_own(self, power: NodePower | Unreadable) -> None:
        """This is what the chain says of this node: one that is to go down leaves no sleeper to others.

        Of what it holds back it looks at once who sleeps still, and calls them rather than never; it goes down
        after that (R7). Those that may be awake stay with the others.
        """
        self._turns.saw_own(power)
        if self._turns.leaving:
            for wake in [wake for wake in self._wakes.values() if wake.held_back]:
                if wake.saw_down:
                    wake.due_at_s = self._clock.monotonic()
                    self._turns_changed.pull("this node is leaving")
                else:
                    self._end(wake, "its state is Up, and other nodes call it")

    def call(self, node: NodeId, reason: str) -> None:
        """Begin a wake, or send a burst of the one that is under way, because an operator asked."""
        if node in self._wakes:
            self._act_now(node, UNASKED)
        else:
            self._begin(node, reason, UNASKED)

    async def run(self) -> None:
        """Send bursts as they fall due; runs until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._serve_fresh(group), name="wake: first bursts")
            group.create_task(self._serve_turns(group), name="wake: held back")
            group.create_task(self._serve_left(), name="wake: left to others")
            group.create_task(self._serve_due(group), name="wake: further bursts")

    async def finish_bursts(self) -> None:
        """Wait for the bursts in flight (5 s), so that none is cut off by our own power-off."""
        await self._bursts.finish()

    def _begin(self, node: NodeId, reason: str, power: NodePower | Unreadable, *, hinted: bool = False) -> None:
        now = self._clock.monotonic()
        asleep = wants_waking(power)
        delay_s = 0.0
        if asleep:
            delay_s = self._turns.delay_s(node)
        elif hinted and isinstance(power, NodePower):
            delay_s = self._turns.spread_s(node)
        self._wakes[node] = Wake(
            node,
            reason,
            began_at_s=now,
            saw_down=asleep,
            due_at_s=now + delay_s,
            held_back=delay_s > 0,
            hinted_bursts=1 if delay_s else HINTED_BURSTS,
            news_at_s=now,
        )
        if delay_s:
            self._turns_changed.pull("held back")
            self._left_changed.pull("held back")
            self._telemetry.happened(WakeHeldBack(node, delay_s))
        else:
            self._act_now(node, power)

    def _hasten(self, wake: Wake) -> None:
        """Others may have gone that stood before this node: its turn may come sooner, and never later."""
        older = self._fresh.get(wake.node)
        if older is not None and isinstance(next_step(wake, older), EndWake):
            del self._fresh[wake.node]  # it is wanted
        delay_s = self._turns.delay_s(wake.node) if wake.saw_down else self._turns.spread_s(wake.node)
        due_at_s = wake.began_at_s + delay_s
        if due_at_s < wake.due_at_s:
            wake.due_at_s = due_at_s
            self._turns_changed.pull("hastened")

    def _act_now(self, node: NodeId, power: NodePower | Unreadable) -> None:
        self._fresh[node] = power
        self._fresh_ones.pull("fresh")

    async def _serve_fresh(self, group: asyncio.TaskGroup) -> None:
        while True:
            await self._fresh_ones.wait(IDLE_S)
            fresh, self._fresh = self._fresh, {}
            self._apply(group, [self._wakes[node] for node in fresh if node in self._wakes], fresh)
            self._due_changed.pull("fresh")

    async def _serve_turns(self, group: asyncio.TaskGroup) -> None:
        while True:
            due = self._due(held_back=True)
            if due:
                asked_at_s = self._clock.monotonic()
                powers = await self._looks.look_in_time(due)
                # Those that fell due meanwhile, or that an event spoke of, go unasked: none waits for two reads.
                older = {wake.node for wake in self._wakes.values() if wake.news_at_s <= asked_at_s}
                answers = {node: power for node, power in powers.items() if node in older}
                self._apply(group, self._due(held_back=True), answers)
                self._due_changed.pull("its turn came")
            await self._turns_changed.wait(self._until_next(held_back=True))

    async def _serve_left(self) -> None:
        """Others may have woken them meanwhile: what is left to others is looked at now and then."""
        while True:
            if not await self._left_changed.wait(LEFT_LOOK_S if self._left else IDLE_S) and self._left:
                asked_at_s = self._clock.monotonic()
                self._look(await self._looks.look_in_time(self._left), asked_at_s)

    @property
    def _left(self) -> list[Wake]:
        return [wake for wake in self._wakes.values() if wake.held_back and wake.saw_down]

    async def _serve_due(self, group: asyncio.TaskGroup) -> None:
        while True:
            for due in self._looks.parts(self._due(held_back=False)):
                asked_at_s = self._clock.monotonic()
                powers = await self._looks.look(due)
                self._apply(group, self._still_due(due, asked_at_s), powers)
            await self._due_changed.wait(self._until_next(held_back=False))

    def _due(self, *, held_back: bool) -> list[Wake]:
        now = self._clock.monotonic()
        return [wake for wake in self._wakes.values() if wake.held_back is held_back and wake.due_at_s <= now]

    def _still_due(self, due: Iterable[Wake], asked_at_s: float) -> list[Wake]:
        """Those that no fresh event served, ended, or spoke of, while the chain was read."""
        now = self._clock.monotonic()
        return [
            wake
            for wake in due
            if wake.due_at_s <= now and wake.news_at_s <= asked_at_s and self._wakes.get(wake.node) is wake
        ]

    def _until_next(self, *, held_back: bool) -> float:
        now = self._clock.monotonic()
        waiting = (wake.due_at_s - now for wake in self._wakes.values() if wake.held_back is held_back)
        return max(0.0, min(waiting, default=IDLE_S))

    def _apply(self, group: asyncio.TaskGroup, wakes: Iterable[Wake], powers: Powers) -> None:
        bursts = []
        for wake in wakes:
            power = powers.get(wake.node, UNASKED)
            wake.saw_down = wake.saw_down or wants_waking(power)
            step = next_step(wake, power)
            if isinstance(step, EndWake):
                self._end(wake, step.outcome)
            else:
                bursts += self._burst(wake)
        if bursts:
            self._bursts.starting()
            group.create_task(self._bursts.send(bursts), name="wake: burst")

    def _burst(self, wake: Wake) -> list[Burst]:
        now = self._clock.monotonic()
        wake.held_back = False
        wake.bursts += 1
        wake.last_burst_at_s = now
        wake.due_at_s = now + retry_delay_s(wake, self._policy, self._jitter)
        wake.overdue = now - wake.began_at_s >= self._policy.deadline_s
        record, unreadable = self._looks.record(wake.node)
        mac = self._faults.check(wake, record, unreadable=unreadable)
        if mac is None:
            return []
        return [Burst(mac, WakeBurstStarted(wake.node, wake.bursts, wake.reason))]

    def _end(self, wake: Wake, outcome: str) -> None:
        del self._wakes[wake.node]
        self._fresh.pop(wake.node, None)
        self._faults.clear(wake.node)
        self._telemetry.happened(WakeEnded(wake.node, wake.bursts, outcome))
