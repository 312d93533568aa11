"""The steps of the demo. Each says what is promised, and checks it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from app.domain.errors import PowerdError
from app.domain.model import HeadKind, NodeId, NodePower, Power
from app.entrypoints.demo.farm_on_loopback import Farm
from app.entrypoints.demo.machine import Machine
from app.ports.chain import ChainReader
from app.ports.power_targets import PowerTargets

LOOK_S = 0.05
PATIENCE_S = 60.0
WARNINGS_SHOWN = 3
PACKETS_PER_BURST = 10


class NotAsExpected(Exception):
    """A promise about the machine ``of`` was not kept in time."""

    def __init__(self, what: str, of: Machine) -> None:
        super().__init__(what)
        self.of = of


class NotPlayed(Exception):
    """The farm is not in the state that this step needs, since an earlier step failed."""


@dataclass(slots=True)
class Scenario:
    """Runs the steps, prints them by ``say``, and records which promises were broken or not shown."""

    farm: Farm
    chain: ChainReader
    farmer: PowerTargets
    say: Callable[[str], None]
    broken: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """All steps, in order. A failed step is reported, and the next ones that can run follow."""
        _, second, third = sorted(self.farm.machines)[:3]
        await self._step("all nodes boot", self.boot_all())
        if self.broken:
            self.broken.append("all other scenes: not played, since not all nodes came up")
            self.say("the other scenes are NOT PLAYED, since not all nodes came up")
            return
        await self._step(f"node {second} sleeps", self.sleep([second]))
        await self._step(f"node {second} is woken", self.wake([second]))
        await self._step(f"nodes {second} and {third} sleep at once", self.sleep([second, third]))
        await self._step(f"nodes {second} and {third} are woken at once", self.wake([second, third]))
        await self._step(f"node {third} sleeps", self.sleep([third]))
        await self._step(f"node {third} is woken though its first burst is lost", self.wake_with_lost_burst(third))
        await self._step(f"node {second} loses power without warning", self.crash_and_wake(second))
        await self._step(f"node {third} sleeps, once its bursts to node {second} are out", self.sleep([third]))
        await self._step("Redis dies and comes back", self.wake_across_redis_restart(third))

    async def boot_all(self) -> str:
        """Power on by hand."""
        began = self._now()
        for machine in self.farm.machines.values():
            await machine.boot()
        for machine in self.farm.machines.values():
            await self._until_reported(machine, 0)
            await self._until(f"node {machine.node} follows the chain", machine.cursor.exists, machine)
        return f"{len(self.farm.machines)} nodes up after {self._now() - began:.1f} s"

    async def sleep(self, nodes: Iterable[int]) -> str:
        """Target Down on chain → state Down on chain → last uptime report → off."""
        nodes = list(nodes)
        self._expect(on=nodes)
        began = await self._set(nodes, Power.DOWN)
        parts = []
        for node in nodes:
            await self._until_dark(self.farm.machines[node])
            parts.append(f"node {node} off {self._now() - began[node]:.1f} s after its target")
        for node in nodes:
            await self.until_state(node, Power.DOWN)
        return "; ".join(parts) + "; state Down on chain"

    async def wake(self, nodes: Iterable[int]) -> str:
        """Target Up on chain → event → first magic packet → boots → state Up on chain."""
        nodes = list(nodes)
        self._expect(dark=nodes)
        began = await self._set(nodes, Power.UP)
        return await self._see_them_wake(nodes, began)

    async def wake_with_lost_burst(self, node: int) -> str:
        """The first ten packets of every waker are lost, so that the next burst must wake it."""
        self._expect(dark=[node])
        wakers = sum(machine.on for machine in self.farm.machines.values())
        self.farm.machines[node].packets_to_lose = PACKETS_PER_BURST * wakers
        woken = await self.wake([node])
        return f"{woken}; {PACKETS_PER_BURST * wakers} packets were lost before"

    async def crash_and_wake(self, node: int) -> str:
        """Its state is still Up; only the farmer's event starts the bursts."""
        self._expect(on=[node])
        machine = self.farm.machines[node]
        await machine.crash()
        reports = machine.uptime_reports()
        began = await self._set([node], Power.UP)
        await self._see_them_wake([node], began)
        heard_s = (machine.first_heard_at_s or self._now()) - began[node]
        await self._until_reported(machine, reports)
        again_s = self._now() - began[node]
        return f"node {node}: first packet after {heard_s:.2f} s; uptime reported again after {again_s:.1f} s"

    async def wake_across_redis_restart(self, node: int) -> str:
        """The target changes while Redis is dead: the event must wait, and must not be lost."""
        redis = self.farm.redis
        if redis is None:
            return f"{await self.wake([node])}; Redis was left alone, since it is not ours to kill (--redis)"
        self._expect(dark=[node])
        await asyncio.to_thread(redis.kill)
        began = await self._set([node], Power.UP)
        await asyncio.to_thread(redis.start)
        return await self._see_them_wake([node], began) + "; Redis was dead when its target changed"

    async def _see_them_wake(self, nodes: Iterable[int], began: Mapping[int, float]) -> str:
        parts = []
        for node in nodes:
            machine = self.farm.machines[node]
            await self._until_on(machine)
            heard_at = machine.first_heard_at_s
            if heard_at is None or heard_at < began[node]:
                raise NotAsExpected(f"node {node} was on without a magic packet after its target was set", machine)
            await self.until_state(node, Power.UP)
            up_s = self._now() - began[node]
            parts.append(
                f"node {node}: first packet after {heard_at - began[node]:.2f} s, Up on chain after {up_s:.1f} s"
            )
        return "; ".join(parts)

    async def _set(self, nodes: Iterable[int], target: Power) -> Mapping[int, float]:
        """Set targets. Returns when each was submitted."""
        began = {}
        for node in nodes:
            self.farm.machines[node].listen_again()
            began[node] = self._now()
            await self.farmer.set_power_target(NodeId(node), target)
        return began

    async def _until_on(self, machine: Machine) -> None:
        await self._until(f"node {machine.node} hears a magic packet", lambda: machine.on, machine)

    async def _until_dark(self, machine: Machine) -> None:
        await self._until(f"node {machine.node} is off", lambda: not machine.on, machine)

    async def _until_reported(self, machine: Machine, before: int) -> None:
        what = f"node {machine.node} reports its uptime"
        await self._until(what, lambda: machine.uptime_reports() > before, machine)

    async def _step(self, title: str, doing: Coroutine[object, object, str]) -> None:
        try:
            self.say(f"{title}: {await doing}")
        except NotPlayed as error:
            self.broken.append(f"{title}: not played: {error}")
            self.say(f"{title}: NOT PLAYED: {error}")
        except (NotAsExpected, PowerdError) as error:
            self.broken.append(f"{title}: {error}")
            self.say(f"{title}: BROKEN: {error}")
            for line in self._warnings_of(getattr(error, "of", None)):
                self.say(f"    {line}")

    def _warnings_of(self, concerned: Machine | None) -> Iterator[str]:
        """The last warnings of the machine, and of those that were on: one of them should have woken it."""
        for machine in self.farm.machines.values():
            if machine is concerned or (machine.on and not (concerned and concerned.on)):
                yield from machine.last_warnings(WARNINGS_SHOWN)

    def _expect(self, *, on: Iterable[int] = (), dark: Iterable[int] = ()) -> None:
        """Raise unless the node is in the state that the step starts from."""
        unfit = [f"node {node} is dark" for node in on if not self.farm.machines[node].on]
        unfit += [f"node {node} is not dark" for node in dark if self.farm.machines[node].on]
        if unfit:
            raise NotPlayed(", ".join(unfit))
        left = [machine for machine in self.farm.machines.values() if machine.on and machine.node not in {*on, *dark}]
        if len(self.farm.machines) > 1 and not left:
            raise NotPlayed("no other node is on that could wake it")

    async def _until(self, what: str, holds: Callable[[], bool], of: Machine) -> None:
        end = self._now() + PATIENCE_S
        while not holds():
            if self._now() > end:
                raise NotAsExpected(f"{what}: not within {PATIENCE_S:.0f} s", of)
            for machine in self.farm.machines.values():
                if died := machine.died():
                    raise NotAsExpected(f"{', '.join(died)} of node {machine.node} ended", machine)
            await asyncio.sleep(LOOK_S)

    async def until_state(self, node: int, state: Power) -> None:
        """Wait until the chain shows this state. Raises `NotAsExpected` after a minute."""
        end = self._now() + PATIENCE_S
        while (seen := await self._state(node)) is not state:
            if self._now() > end:
                said = seen.value if seen else "nothing readable"
                raise NotAsExpected(
                    f"the chain says {said} of node {node} after {PATIENCE_S:.0f} s, not {state.value}",
                    self.farm.machines[node],
                )
            await asyncio.sleep(LOOK_S)

    async def _state(self, node: int) -> Power | None:
        reading = await self.chain.powers([NodeId(node)], HeadKind.BEST)
        power = reading.powers[NodeId(node)]
        return power.state.power if isinstance(power, NodePower) else None

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
