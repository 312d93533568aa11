"""A farm in virtual time: one ledger, one network, and any of its nodes running the daemon's services.

Nodes that do not run are only records on the chain; a test sets what they report.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import TypeVar

from dependency_injector import providers

from app.adapters.simulated.chain import SimulatedChain
from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.farm_setup import add_farm, mac_of
from app.adapters.simulated.fault_display import SimulatedFaultDisplay
from app.adapters.simulated.holds import SimulatedHolds
from app.adapters.simulated.host_facts import SimulatedHostFacts
from app.adapters.simulated.host_power import SimulatedHostPower
from app.adapters.simulated.ledger import Ledger
from app.adapters.simulated.magic_packets import SimulatedMagicPackets, SimulatedNetwork
from app.adapters.simulated.memory import SimulatedMemory
from app.adapters.simulated.nic import SimulatedNic
from app.adapters.simulated.pallet import StoredPower
from app.adapters.simulated.power_events import SimulatedPowerEvents, SimulatedStream
from app.adapters.simulated.rtc_alarm import SimulatedRtcAlarm
from app.adapters.simulated.signs_of_life import SimulatedSignsOfLife
from app.domain.events import Malformed, PowerTargetChanged, ShutdownStep
from app.domain.model import FarmId, Fault, Mac, NodeId, NodeIdentity, Power, TwinId
from app.domain.rules.boot_loop import BootRecord
from app.domain.rules.paid import DownWindow
from app.domain.rules.proved_wake import Trial, WakeRecord
from app.domain.services.context.fault_board import FaultBoard
from app.domain.services.context.node_context import NodeContext
from app.domain.services.context.progress import Progress
from app.entrypoints.settings.loading import load_settings
from app.entrypoints.settings.profiles import rtc_alarm_kind, signs_of_life_kind
from app.entrypoints.settings.schema import Settings
from app.entrypoints.wiring.container import Container
from tests.rigs.simulated.telemetry import SimulatedTelemetry

T = TypeVar("T")

FARMER = b"the farmer".ljust(32, b".")
BLOCK_TIME_S = 6.0


def account_of(node: int) -> bytes:
    return f"node {node}".encode().ljust(32, b".")


def simulated_settings(settings: Mapping[str, object] = MappingProxyType({})) -> Settings:
    """The settings of a node; nodes of one farm share them, since loading takes a while.

    Most nodes of these farms are only records on the chain, without a daemon that gives a sign of life.
    """
    alone = {"power_management.last_waker_guard": False, "wake.call_silent": False}
    return load_settings(None, {}, {"profile": "simulated", **alone, **settings})


def context_of(clock: VirtualClock, node: int = 1, telemetry: SimulatedTelemetry | None = None) -> NodeContext:
    """The context for one service alone: of a node of farm 1, with its own fault board."""
    shown = SimulatedTelemetry() if telemetry is None else telemetry
    board = FaultBoard(SimulatedFaultDisplay(), clock, shown, lambda: 0.5)
    identity = NodeIdentity(NodeId(node), FarmId(1), TwinId(node + 1))
    return NodeContext(clock, shown, board, lambda: 0.5, Progress(clock), identity)


class Hardware:
    """The parts of a machine that stay over boots: a disk, a clock, and the number of boots."""

    def __init__(self, clock: VirtualClock) -> None:
        self.disk = SimulatedMemory[BootRecord]()
        self.window = SimulatedMemory[DownWindow]()
        self.wakes = SimulatedMemory[WakeRecord]()
        self.trial = SimulatedMemory[Trial]()
        self.rtc = SimulatedRtcAlarm(clock)
        self.boots = 0


class VirtualNode:
    """One boot of a machine with the daemon's services on simulated adapters, which a test can reach.

    With ``same_boot`` only the daemon started again.
    """

    def __init__(
        self, farm: VirtualFarm, node: int, settings: Settings | None = None, *, same_boot: bool = False
    ) -> None:
        clock = farm.clock
        self.id = NodeId(node)
        self._farm = farm
        self._task: asyncio.Task[None] | None = None
        self.dark = False
        self.chain = SimulatedChain(farm.ledger, clock, account_of(node))
        self.stream = SimulatedStream(clock)
        self.events = SimulatedPowerEvents(self.stream, clock)
        self.nic = SimulatedNic(mac_of(1, node))
        self.packets = SimulatedMagicPackets(farm.network)
        self.host_power = SimulatedHostPower(clock, self.go_dark, self.go_dark)
        self.hardware = farm.hardware.setdefault(node, Hardware(clock))
        self.hardware.boots += not same_boot
        self.facts = SimulatedHostFacts(clock, f"machine-{node}-{self.hardware.boots}")
        self.signs_of_life = SimulatedSignsOfLife(farm.ledger)
        self.holds = SimulatedHolds(clock)
        self.faults = SimulatedFaultDisplay()
        self.telemetry = SimulatedTelemetry()
        self.container = self._wire(settings or simulated_settings())

    def _wire(self, settings: Settings) -> Container:
        container = Container(settings=providers.Object(settings))
        for name, fake in {
            "clock": self._farm.clock,
            "jitter": random.Random(self.id).random,
            "telemetry": self.telemetry,
            "fault_display": self.faults,
            "chain": self.chain,
            "events": self.events,
            "nic": self.nic,
            "magic_packets": self.packets,
            "host_power": self.host_power,
            "host_facts": self.facts,
            "holds": self.holds,
            "boot_memory": self.hardware.disk,
            "window_memory": self.hardware.window,
            "wake_memory": self.hardware.wakes,
            "trial_memory": self.hardware.trial,
            **({} if rtc_alarm_kind(settings) == "off" else {"rtc_alarm": self.hardware.rtc}),
            **({} if signs_of_life_kind(settings) == "off" else {"signs_of_life": self.signs_of_life}),
            "node": NodeIdentity(self.id, self._farm.id, TwinId(self.id + 1)),
        }.items():
            getattr(container, name).override(providers.Object(fake))
        return container

    def run(self, group: asyncio.TaskGroup) -> None:
        self.container.operator().services = self.container.services()
        self._task = group.create_task(self._live(), name=f"node {self.id}")

    async def _live(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.container.faults().run(), name="faults")
                await self.container.server().start()
        except asyncio.CancelledError:
            return

    async def stop(self) -> None:
        """End the daemon as SIGTERM does."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def go_dark(self) -> None:
        self.dark = True
        if self._task is not None:
            self._task.cancel()

    async def deliver(self, *contents: PowerTargetChanged | Malformed, age_s: float = 0.0) -> None:
        self.stream.append(*contents, age_s=age_s)
        await asyncio.sleep(0)

    def recorded(self, kind: type[T]) -> list[T]:
        return [event for event in self.telemetry.recorded if isinstance(event, kind)]

    @property
    def steps(self) -> list[str]:
        return [step.step for step in self.recorded(ShutdownStep)]

    def packets_to(self, node: int) -> Sequence[float]:
        return self._farm.network.sent_to(mac_of(1, node))

    @property
    def fault_keys(self) -> set[str]:
        return {fault.key for fault in self.faults.shown}

    def fault(self, key: str) -> Fault:
        return next(fault for fault in self.faults.shown if fault.key == key)


class VirtualFarm:
    """Farm 1 with nodes 1 … n."""

    def __init__(self, clock: VirtualClock, nodes: int) -> None:
        self.clock = clock
        self.ledger = Ledger(clock.now(), block_time_s=BLOCK_TIME_S, finality_lag=2)
        self.network = SimulatedNetwork(clock)
        farm, self.node_ids = add_farm(self.ledger, FARMER, [account_of(n + 1) for n in range(nodes)])
        self.id = FarmId(farm)
        self.farmer = SimulatedChain(self.ledger, clock, FARMER)
        self.hardware: dict[int, Hardware] = {}
        self._running: dict[int, VirtualNode] = {}

    @asynccontextmanager
    async def running(
        self,
        node: int,
        *,
        before: Callable[[VirtualNode], None] = lambda _: None,
        settings: dict[str, object] | None = None,
        same_boot: bool = False,
    ) -> AsyncIterator[VirtualNode]:
        """Make blocks, and run this node's daemon."""
        async with self.all_running([node], before=before, settings=settings, same_boot=same_boot) as machines:
            yield machines[node]

    @asynccontextmanager
    async def all_running(
        self,
        nodes: Iterable[int],
        *,
        before: Callable[[VirtualNode], None] = lambda _: None,
        settings: dict[str, object] | None = None,
        same_boot: bool = False,
    ) -> AsyncIterator[dict[int, VirtualNode]]:
        """Make blocks, and run the daemons of these nodes."""
        loaded = simulated_settings(settings or {})
        machines = {node: VirtualNode(self, node, loaded, same_boot=same_boot) for node in nodes}
        for machine in machines.values():
            before(machine)
        async with asyncio.TaskGroup() as group:
            blocks = group.create_task(self._make_blocks(), name="blocks")
            self._running |= machines
            for machine in machines.values():
                machine.run(group)
            yield machines
            for node, machine in machines.items():
                await machine.stop()
                del self._running[node]
            blocks.cancel()

    async def _make_blocks(self) -> None:
        while True:
            await self.clock.sleep(BLOCK_TIME_S)
            self.ledger.produce(self.clock.now())

    async def set_target(self, node: int, target: Power, *, tell: Iterable[int] | None = None) -> None:
        await self.set_targets([node], target, tell=tell)

    async def set_targets(self, nodes: Iterable[int], target: Power, *, tell: Iterable[int] | None = None) -> None:
        """The farmer's extrinsics, in one block; then the event on the stream of every running node."""
        nodes = list(nodes)
        async with asyncio.TaskGroup() as group:
            for node in nodes:
                group.create_task(self.farmer.set_power_target(NodeId(node), target))
            if not self._running:
                await asyncio.sleep(0)
                self.ledger.produce(self.clock.now())
        for running in self._running if tell is None else tell:
            changes = [PowerTargetChanged(self.id, NodeId(node), target) for node in nodes]
            await self._running[running].deliver(*changes)

    async def report_state(self, node: int, power: Power) -> None:
        """Set the state of a node that does not run here."""
        await SimulatedChain(self.ledger, self.clock, account_of(node)).set_power_state(power)

    def put_to_sleep(self, node: int) -> None:
        """Write state and target Down of the node to the chain."""
        self.ledger.force_storage("NodePower", node, StoredPower(self.ledger.best_number, "Down"))

    def put_all_to_sleep_but(self, *awake: int) -> None:
        """Write state and target Down of all other nodes to the chain."""
        for node in self.node_ids:
            if node not in awake:
                self.put_to_sleep(node)

    def with_target(self, node: int, target: Power) -> StoredPower:
        """The node's entry on the chain with another target."""
        power = self.ledger.read("NodePower", node)
        return StoredPower(None if power is None else power.down_since, target.value)

    def want_up(self, node: int) -> None:
        """Write target Up to the chain, without an event."""
        power = self.ledger.read("NodePower", node)
        self.ledger.force_storage("NodePower", node, StoredPower(power.down_since, "Up"))

    def want_down(self, node: int) -> None:
        """Write state Up and target Down to the chain, without an event."""
        self.ledger.force_storage("NodePower", node, StoredPower(None, "Down"))

    def finalize(self) -> None:
        """Make blocks until the present head is final."""
        for _ in range(self.ledger.finality_lag + 1):
            self.ledger.produce(self.clock.now())

    def state(self, node: int) -> Power:
        power = self.ledger.read("NodePower", node)
        return Power.UP if power is None or power.down_since is None else Power.DOWN

    def break_mac(self, node: int) -> None:
        self._set_mac(node, "no address")

    def replace_mac(self, node: int, mac: Mac) -> None:
        self._set_mac(node, str(mac))

    def leave(self, node: int) -> None:
        members = self.ledger.read("NodesByFarmID", self.id)
        self.ledger.force_storage("NodesByFarmID", self.id, tuple(n for n in members if n != node))
        self.ledger.force_storage("Nodes", node, {**self.ledger.read("Nodes", node), "farm_id": 99})

    def _set_mac(self, node: int, mac: str) -> None:
        record = self.ledger.read("Nodes", node)
        interfaces = [{**interface, "mac": mac} for interface in record["interfaces"]]
        self.ledger.force_storage("Nodes", node, {**record, "interfaces": interfaces})

    async def until(self, holds: Callable[[], bool], *, within_s: float = 60.0, every_s: float = 0.05) -> None:
        """Let virtual time pass until the condition is true."""
        end_s = self.clock.monotonic() + within_s
        while not holds():
            assert self.clock.monotonic() < end_s, f"not within {within_s} s"
            await self.clock.sleep(every_s)
