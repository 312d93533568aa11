"""Counts and measures what a run costs and saves: time up and dark, energy, wakes, packets, chain calls."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from app.adapters.simulated.ledger_blocks import Block
from app.adapters.simulated.pallet import StoredPower
from app.domain.events import (
    DomainEvent,
    PowerOffOrdered,
    PowerStateSet,
    RebootOrdered,
    ShutdownAborted,
    ShutdownStep,
    UptimeReported,
    WakeBurstStarted,
    WakeEnded,
)
from app.domain.minting.month import Loss
from app.domain.model import NodeId
from app.entrypoints.simulator.income.minted import Lost
from app.entrypoints.simulator.plan.at_risk import DAY_S, WAKING_S_MAX, NodeAtRisk, Risk, unwakeable
from app.entrypoints.simulator.watching.violation import Violation
from app.entrypoints.simulator.world.machine import Machine, MachinePower
from app.entrypoints.simulator.world.world import World

MARKS = (
    *("off", "booting", "running", "stopping", "frozen", "target Up", "target Down", "state Up", "state Down"),
    *(f"lost: {loss.name}" for loss in Loss),
)
"""What a node's timeline is made of; each entry is its second and an index into this."""


GUARD, STEP, ABORTED_AT, ORDER, WAKE_ENDED = "guard: ", "step: ", "aborted at: ", "order: ", "wake ended: "
"""Prefixes of the counts of daemon events."""

ORDERS = ("power off", "power off by force", "reboot", "reboot by force")

DEAD = (MachinePower.OFF, MachinePower.FROZEN)


class Tally:
    """All figures of one farm's run."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.counts = world.counts
        self.wake_latencies_s: list[float] = []
        self.packet_latencies_s: list[float] = []
        self.timelines: dict[NodeId, array[int]] = {}
        self.notes: list[tuple[float, int, str]] = []
        self.seconds_in = world.seconds_in
        self.dark_s: dict[NodeId, float] = {}
        self.cut_off_s: dict[NodeId, float] = {}
        """Seconds dark that save nothing: mains that failed, a machine that was reset, a node that is lost."""
        self._too_long: dict[NodeId, float] = {}
        self._lost: set[NodeId] = set()
        self._since_s: dict[NodeId, float] = {}
        self._was: dict[NodeId, MachinePower] = {}
        self._wanted_since_s: dict[NodeId, float] = {}
        self._targets: dict[NodeId, str] = {}
        for node, machine in world.machines.items():
            if machine.plan.asleep and machine.plan.first_target == "Up":
                self._want(node)
        self.series: list[tuple[float, int, int, int]] = []
        self.at_risk: list[NodeAtRisk] = []
        """Known at the end of the run."""

    # -- moments -----------------------------------------------------------------------------------
    def machine_changed(self, machine: Machine, why: str) -> None:
        node, now_s = machine.identity.node, self._world.now_s()
        was = self._was.get(node, MachinePower.OFF)
        self._spend(machine, was, now_s)
        self._was[node], self._since_s[node] = machine.power, now_s
        self._mark(node, machine.power.value)
        if why:
            self.counts[why] += 1
        if machine.power is MachinePower.BOOTING and why == "magic packet" and node in self._wanted_since_s:
            self.packet_latencies_s.append(now_s - self._wanted_since_s[node])

    def block_made(self, block: Block) -> None:
        for extrinsic in block.extrinsics:
            self.counts[f"extrinsic {extrinsic.call}"] += 1
        for event in block.events:
            if event.name == "PowerTargetChanged":
                self._target(NodeId(event.attributes["node_id"]), event.attributes["power_target"])
            elif event.name == "PowerStateChanged":
                self._state(NodeId(event.attributes["node_id"]), event.attributes["power_state"])

    def looked(self, machine: Machine) -> None:
        """Count what keeps it up against its target."""
        objection = machine.objection
        if objection is not None:
            self.counts[GUARD + objection.guard.name] += 1

    def recorded(self, event: DomainEvent) -> None:
        match event:
            case WakeBurstStarted() | PowerStateSet() | UptimeReported():
                self.counts[type(event).__name__] += 1
            case ShutdownStep(step):
                self.counts[STEP + step] += 1
            case ShutdownAborted(step):
                self.counts[ABORTED_AT + step] += 1
            case PowerOffOrdered(forced) | RebootOrdered(forced):
                self.counts[ORDER + ORDERS[2 * isinstance(event, RebootOrdered) + forced]] += 1
            case WakeEnded(outcome=outcome):
                self.counts[WAKE_ENDED + outcome] += 1

    def lost(self, machine: Machine, lost: Lost) -> None:
        """A mark in the node's timeline, at the time up to which it was lost."""
        self._mark(machine.identity.node, f"lost: {lost.loss.name}")

    def violated(self, violation: Violation) -> None:
        self.notes.append((violation.at_s, violation.node, f"{violation.promise}: {violation.detail}"))

    def sample(self) -> None:
        """A point of the curve: nodes running, dark, and wanted up."""
        running = dark = wanted = 0
        newest = self._world.ledger.store.newest("NodePower")
        up = StoredPower()
        for node, machine in self._world.machines.items():
            running += machine.power is MachinePower.RUNNING
            dark += machine.power is MachinePower.OFF
            wanted += newest.get(node, up).target == "Up"
        self.series.append((self._world.now_s(), running, dark, wanted))

    def close(self) -> None:
        """Count what still goes on up to now."""
        now_s = self._world.now_s()
        self.at_risk = [*unwakeable(self._world.plan), *self._left_dark(now_s)]
        for node, machine in self._world.machines.items():
            self._spend(machine, machine.power, now_s)
            self._since_s[node] = now_s
        self.at_risk += (
            NodeAtRisk(node=node, risk=Risk.DARK_TOO_LONG, detail=f"{seconds / 3600:.1f} h")
            for node, seconds in sorted(self._too_long.items())
        )
        self.counts["packets"] = sum(segment.carried for segment in self._world.farm.segments.values())
        self.counts["chain reads"] = sum(machine.chain.reads for machine in self._world.machines.values())

    # -- inside ------------------------------------------------------------------------------------
    def _spend(self, machine: Machine, power: MachinePower, now_s: float) -> None:
        node = machine.identity.node
        seconds = now_s - self._since_s.get(node, 0.0)
        self.seconds_in[power.value] += seconds
        if power is not MachinePower.OFF:
            return
        self.dark_s[node] = self.dark_s.get(node, 0.0) + seconds
        if not machine.powered_itself_off or seconds > DAY_S or node in self._lost:
            # This time saves nothing: the node was cut off, or earned nothing while it was dark.
            self.cut_off_s[node] = self.cut_off_s.get(node, 0.0) + seconds
        if seconds > DAY_S:
            self._too_long[node] = seconds

    def _left_dark(self, now_s: float) -> Iterator[NodeAtRisk]:
        """Nodes that are dark now though they have been wanted up for longer than a boot may take."""
        newest = self._world.ledger.store.newest("NodePower")
        for node, machine in self._world.machines.items():
            wanted_since_s = max(machine.since_s, self._wanted_since_s.get(node, 0.0))
            wanted = newest.get(node, StoredPower()).target == "Up"
            if machine.power in DEAD and wanted and now_s - wanted_since_s > WAKING_S_MAX:
                self._lost.add(node)
                yield NodeAtRisk(
                    node=node, risk=Risk.DARK_AND_WANTED, detail=f"for {(now_s - wanted_since_s) / 3600:.1f} h"
                )

    def _want(self, node: NodeId) -> None:
        """It is dark, and wanted up from now on; saying so again begins nothing new."""
        if node not in self._wanted_since_s:
            self._wanted_since_s[node] = self._world.now_s()
            self.counts["wakes wanted"] += 1

    def _target(self, node: NodeId, target: str) -> None:
        if self._targets.get(node, "Up") != target:
            self._targets[node] = target
            self._mark(node, f"target {target}")
        machine = self._world.machines.get(node)
        if target == "Down" or machine is None:
            self._wanted_since_s.pop(node, None)
        elif machine.power is MachinePower.OFF:
            self._want(node)

    def _state(self, node: NodeId, state: object) -> None:
        self._mark(node, "state Up" if state == "Up" else "state Down")
        if state == "Up" and node in self._wanted_since_s:
            self.wake_latencies_s.append(self._world.now_s() - self._wanted_since_s.pop(node))

    def _mark(self, node: NodeId, mark: str) -> None:
        timeline = self.timelines.setdefault(node, array("L"))
        timeline.extend((int(self._world.now_s()), MARKS.index(mark)))
