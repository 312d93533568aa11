"""A wake costs the same on a large farm as on a small one, and so does an hour of being awake."""

from __future__ import annotations

from collections import Counter, deque

from app.adapters.simulated.ledger_blocks import Block
from app.domain.events import WakeBurstStarted
from app.domain.model import NodeId
from app.entrypoints.simulator.watching.promise import Promise
from app.entrypoints.simulator.world.fault_history import BUS, CHAIN, HOST, WAKING
from app.entrypoints.simulator.world.machine import Machine, MachinePower
from app.entrypoints.simulator.world.world import World

BURSTS_MAX = 20
"""Three wakers, the bursts that each sends while a machine boots (at 0, 15, 45, 105 s), and a margin."""

BURSTS_OF_LEAVERS = 5
"""A node whose own target is Down leaves nothing to others (docs/adr/0007-staggered-wakes.md)."""

BURSTS_OF_BOOTED = 2
"""A node that came up while another boots calls it at once: it has seen no other node yet that does so.

On average it does so for half of that boot."""

BOOT_S_MAX = 100.0
"""When a machine takes longer, other wakers join in, as they should.

So they do for a machine that was called after its Down, and whose host has not powered off yet."""

READS_PER_HOUR_MAX = 100
"""An hour has twelve looks at the node itself (two heads), twelve at the farm, sleepers' records, and uptime."""

READS_PER_GUARDED_HOUR_MAX = 600
"""A node that the last-waker guard keeps up looks every 30 s, at itself and at the others."""

READS_PER_WAKE_MAX = 60
STATES_PER_SLEEP_MAX = 3
"""A node says Down before a sleep, Up after it, and Up after a boot by hand."""

WITHOUT_FAULTS_S = 1200.0

HOUR_S = 3600.0
FEES_PER_HOUR_MAX = 12
"""Of one call that is included and fails: eight, with pauses of 1 to 20 min (less a quarter), and what forks repeat."""


class CostStaysBounded(Promise):
    """Counts bursts per wake in peace, chain calls where the plan has no faults at all, and fees always."""

    text = (
        "bursts, chain reads and extrinsics per wake stay within a bound, whatever the size of the farm, and a "
        "call that fails and costs a fee is repeated less and less often"
    )

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._bursts: Counter[NodeId] = Counter()
        self._fees_at_s: dict[tuple[NodeId, str], deque[float]] = {}

    def burst_started(self, machine: Machine, event: WakeBurstStarted) -> None:  # noqa: ARG002
        self._bursts[event.node] += 1

    def block_made(self, block: Block) -> None:
        """A node that says Up ends its wake; one whose extrinsic failed pays."""
        for extrinsic, error in block.outcomes.items():
            if error and (machine := self.world.accounts.get(extrinsic.account)) is not None:
                self._pays(machine, extrinsic.call, error)
        for event in block.events:
            if event.name == "PowerStateChanged" and event.attributes["power_state"] == "Up":
                node = NodeId(event.attributes["node_id"])
                bursts = self._bursts.pop(node, 0)
                machine = self.world.machines[node]
                if (
                    bursts
                    > BURSTS_MAX + BURSTS_OF_LEAVERS * self._leaving() + BURSTS_OF_BOOTED * self._booted_meanwhile()
                    and machine.plan.boot_s <= BOOT_S_MAX
                    and self._without_faults()
                    and not machine.fault_history.lately(HOST, WITHOUT_FAULTS_S)
                ):
                    self.broken(machine, f"its wake took {bursts} bursts")
            elif event.name == "PowerTargetChanged":
                self._bursts.pop(NodeId(event.attributes["node_id"]), None)

    def ended(self) -> None:
        if self.world.plan.faults:
            return
        counts = self.world.counts
        wakes = counts["wakes wanted"]
        now_s = self.world.now_s()
        running_s = self.world.seconds_in["running"] + sum(
            now_s - machine.since_s for machine in self.world.machines.values() if machine.power is MachinePower.RUNNING
        )
        reads = sum(machine.chain.reads for machine in self.world.machines.values())
        guarded = self.world.settings.power_management.last_waker_guard
        per_hour = READS_PER_GUARDED_HOUR_MAX if guarded else READS_PER_HOUR_MAX
        allowed = per_hour * (running_s / 3600 + len(self.world.machines)) + READS_PER_WAKE_MAX * wakes
        if reads > allowed:
            self.broken(None, f"{reads} chain reads, more than {allowed:.0f}")
        states = counts["extrinsic change_power_state"]
        sleeps = counts["powered off"] + len(self.world.machines)
        if states > STATES_PER_SLEEP_MAX * sleeps:
            self.broken(None, f"{states} states reported for {sleeps} sleeps")

    def _pays(self, machine: Machine, call: str, error: str) -> None:
        """Faults do not excuse fees. A restarted daemon does not know of earlier failures."""
        now_s = self.world.now_s()
        at_s = self._fees_at_s.setdefault((machine.identity.node, call), deque())
        at_s.append(now_s)
        while at_s[0] < max(now_s - HOUR_S, machine.daemon_since_s):
            at_s.popleft()
        if len(at_s) > FEES_PER_HOUR_MAX:
            self.broken(machine, f"{call} failed {len(at_s)} times within an hour, each at a fee: {error}")
            at_s.clear()

    def _leaving(self) -> int:
        """Nodes of the farm whose target is Down and that are up."""
        return sum(
            other.power is MachinePower.RUNNING and self.world.power(other.identity.node).target == "Down"
            for other in self.world.farm.machines
        )

    def _booted_meanwhile(self) -> int:
        """Nodes of the farm that came up while the machine booted."""
        since_s = self.world.now_s() - BOOT_S_MAX
        return sum(
            other.power is MachinePower.RUNNING and other.since_s >= since_s for other in self.world.farm.machines
        )

    def _without_faults(self) -> bool:
        kinds = {*CHAIN, *BUS, *WAKING, "clock-drift", "unhealthy", "daemon-killed"}
        return not any(other.fault_history.lately(kinds, WITHOUT_FAULTS_S) for other in self.world.farm.machines)
