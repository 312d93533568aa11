"""The world of a farm: a chain, machines on layer-2 segments, and what watches over them.

Farms share nothing but the chain's weather, so each has a world of its own
(`app.entrypoints.simulator.run.farm_plans`).
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import lru_cache

import msgspec

from app.adapters.simulated.chain import SimulatedChain
from app.adapters.simulated.clock import VirtualClock, VirtualLoop
from app.adapters.simulated.farm_setup import add_farm_record, add_node, mac_of
from app.adapters.simulated.ledger import Ledger
from app.adapters.simulated.ledger_blocks import Block
from app.adapters.simulated.magic_packets import SimulatedNetwork
from app.adapters.simulated.node_powers import NodePowers
from app.adapters.simulated.node_records import NodeRecords
from app.adapters.simulated.pallet import ALWAYS_UP, StoredPower
from app.domain.events import PowerTargetChanged
from app.domain.model import FarmId, Mac, NodeId, NodeIdentity, Power, TwinId
from app.entrypoints.settings.keys import SettingsError
from app.entrypoints.settings.loading import load_settings
from app.entrypoints.settings.schema import Settings
from app.entrypoints.simulator.plan.bad_input import BadInput
from app.entrypoints.simulator.plan.plan import FarmPlan, NodePlan, Plan
from app.entrypoints.simulator.world.fault_history import ActiveFaults
from app.entrypoints.simulator.world.machine import Machine
from app.entrypoints.simulator.world.surroundings import Assembler, WorldListener
from app.entrypoints.wiring.policies import policies

EPOCH_S = 1_700_006_400.0
"""A midnight (UTC), so that virtual hours are hours of the day."""

HISTORY_BLOCKS = 256
"""Blocks the chain remembers, besides those that are not final."""


def daemon_settings(plan: Plan) -> Settings:
    """Of every node's daemon; `BadInput` names what of the plan's settings is wrong."""
    return _loaded(msgspec.json.encode(plan.settings, order="sorted"))


@lru_cache(maxsize=16)
def _loaded(settings: bytes) -> Settings:
    """Loading takes as long as an hour of a farm, and all farms of a run have the same settings."""
    try:
        return load_settings(None, {}, {**msgspec.json.decode(settings), "profile": "simulated"}, origin="--set")
    except SettingsError as error:
        raise BadInput(str(error)) from error


class Farm:
    """The machines of one farmer."""

    def __init__(self, plan: FarmPlan, account: bytes) -> None:
        self.id = FarmId(plan.id)
        self.account = account
        self.machines: list[Machine] = []
        self.segments: dict[str, SimulatedNetwork] = {}


class World:
    """Everything there is; made inside the running `VirtualLoop`."""

    def __init__(self, plan: Plan, watch: WorldListener[Machine], build: Assembler) -> None:
        self.plan = plan
        self.watch = watch
        self.build = build
        self.clock = VirtualClock(EPOCH_S)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.loop = loop
        self.ledger = Ledger(
            EPOCH_S,
            name=f"seed {plan.seed}",
            block_time_s=plan.chain.block_time_s,
            finality_lag=plan.chain.finality_lag_blocks,
            history_blocks=HISTORY_BLOCKS,
        )
        self.records = NodeRecords(self.ledger)
        self.powers = NodePowers(self.ledger)
        self.settings = daemon_settings(plan)
        self.policies = policies(self.settings)
        self.active_faults = ActiveFaults()
        self.machines: dict[NodeId, Machine] = {}
        self.accounts: dict[bytes, Machine] = {}
        self.node_accounts: dict[NodeId, bytes] = {}
        self.counts: Counter[str] = Counter()
        """How often each thing happened."""
        self.seconds_in: defaultdict[str, float] = defaultdict(float)
        """Virtual seconds that machines spent in each `MachinePower`, by its value."""
        (farm,) = plan.farms
        self.farm = self._made(farm)
        for node in farm.nodes:
            self._add_machine(self.farm, node)
        self.ledger.listen(self._block_made)

    # -- time and chance ---------------------------------------------------------------------------
    def now_s(self) -> float:
        """Virtual seconds since the start."""
        return self.loop.now_s

    def later(self, seconds: float, act: Callable[[], None]) -> asyncio.TimerHandle:
        """Run the action after this much virtual time."""
        return self.loop.call_later(seconds, act)

    def chance(self, *names: object) -> random.Random:
        """A generator of its own for each purpose: what one draws changes nothing for the others."""
        return random.Random("/".join(map(str, (self.plan.seed, *names))))  # noqa: S311 - repeatable on purpose

    # -- life --------------------------------------------------------------------------------------
    def start(self) -> None:
        """Machines that are not asleep run from the first moment; blocks are made."""
        for machine in self.machines.values():
            machine.begin()
        self.later(self.plan.chain.block_time_s, self._make_block)

    def _make_block(self) -> None:
        self.loop.call_later(self.plan.chain.block_time_s, self._make_block)
        self.ledger.produce(self.clock.now())

    def _block_made(self, block: Block) -> None:
        self.watch.block_made(block)
        if not block.events:
            return
        targets = [event.attributes for event in block.events if event.name == "PowerTargetChanged"]
        changes = [
            PowerTargetChanged(self.farm.id, NodeId(target["node_id"]), Power(target["power_target"]))
            for target in targets
        ]
        if changes:
            self.publish(changes)

    def publish(self, changes: Sequence[PowerTargetChanged]) -> None:
        """What the follower beside every running daemon does with a block's events."""
        for machine in self.farm.machines:
            if machine.on:
                machine.bus.publish(changes)

    # -- what the chain says -----------------------------------------------------------------------
    def power(self, node: NodeId, *, final: bool = False) -> StoredPower:
        """A node's entry, on the best or the finalized head."""
        if final:
            entry = self.ledger.read("NodePower", node, self.ledger.finalized_number)
        else:
            entry = self.ledger.store.newest("NodePower").get(node)
        return ALWAYS_UP if entry is None else entry

    def is_up(self, node: NodeId) -> bool:
        """Whether the chain shows it awake, and wanted so."""
        power = self.ledger.store.newest("NodePower").get(node, ALWAYS_UP)
        return power.down_since is None and power.target == "Up"

    # -- making it ---------------------------------------------------------------------------------
    def _made(self, plan: FarmPlan) -> Farm:
        farm = Farm(plan, f"farmer {plan.id}".encode().ljust(32, b"."))
        add_farm_record(self.ledger, plan.id, farm.account)
        return farm

    def _add_machine(self, farm: Farm, plan: NodePlan) -> None:
        account = f"node {plan.id}".encode().ljust(32, b".")
        mac = Mac.parse(plan.mac) if plan.mac else mac_of(farm.id, plan.id)
        twin = add_node(self.ledger, farm.id, plan.id, account, plan.chain_mac or str(mac))
        if plan.asleep or plan.first_target == "Down":
            self.ledger.force_storage("NodePower", plan.id, StoredPower(0 if plan.asleep else None, plan.first_target))
        segment = farm.segments.get(plan.segment)
        if segment is None:
            segment = farm.segments[plan.segment] = SimulatedNetwork(self.clock, keep_last=0)
        chain = SimulatedChain(self.ledger, self.clock, account, records=self.records, powers=self.powers)
        identity = NodeIdentity(NodeId(plan.id), farm.id, TwinId(twin))
        machine = Machine(self, plan, identity, mac, chain, segment)
        farm.machines.append(machine)
        self.machines[identity.node] = machine
        self.accounts[account] = machine
        self.node_accounts[identity.node] = account
