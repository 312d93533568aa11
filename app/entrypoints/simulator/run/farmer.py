"""A farmer: looks at the farm, asks the policy, and submits the targets that must change."""

from __future__ import annotations

from app.adapters.simulated.ledger import InvalidTransaction
from app.adapters.simulated.ledger_blocks import Extrinsic
from app.adapters.simulated.pallet import ALWAYS_UP, StoredPower
from app.domain.minting.month import Month
from app.domain.model import NodeId, Power
from app.entrypoints.simulator.income.minted import Minted
from app.entrypoints.simulator.plan.farmer_policies import FarmerPolicy, NodeView
from app.entrypoints.simulator.run.workload import Placement
from app.entrypoints.simulator.world.world import World

ERA_BLOCKS = 16


class Farmer:
    """When the chain refused or lost a target, the farmer submits it again in the next round."""

    def __init__(self, world: World, policy: FarmerPolicy, minted: Minted) -> None:
        self._world = world
        self._policy = policy
        self._minted = minted
        self._up_since_s: dict[NodeId, float] = {}
        self._last_up_s: dict[NodeId, float] = {}
        self.placement = Placement(world)
        # Farmers don't look at their farms in step.
        world.later(policy.round_s * world.chance("farmer", world.farm.id).random(), self._round)

    def _round(self) -> None:
        self._world.later(self._policy.round_s, self._round)
        newest, now_s = self._world.ledger.store.newest("NodePower"), self._world.now_s()
        views = [self._view(node, newest.get(node, ALWAYS_UP), month, now_s) for node, month in self._minted.months()]
        self.placement.place()
        for node, target in self._policy.targets(views, self.placement.slots_wanted, now_s).items():
            self.set_target(node, target)

    def set_target(self, node: NodeId, target: Power) -> None:
        ledger, account = self._world.ledger, self._world.farm.account
        extrinsic = Extrinsic(
            account,
            ledger.next_nonce(account),
            "change_power_target",
            {"node_id": node, "power_target": target.value},
            dies_after=ledger.best_number + ERA_BLOCKS,
        )
        try:
            ledger.submit(extrinsic, self._world.clock.now())
        except InvalidTransaction:
            self._world.counts["farmer's extrinsics refused"] += 1

    def _view(self, node: NodeId, power: StoredPower, month: Month, now_s: float) -> NodeView:
        if power.down_since is None:
            self._up_since_s.setdefault(node, now_s)
            self._last_up_s[node] = now_s
        else:
            self._up_since_s.pop(node, None)
        room = self.placement.rooms[node]
        return NodeView(
            node,
            Power.UP if power.target == "Up" else Power.DOWN,
            self._up_since_s.get(node),
            self._last_up_s.get(node, 0.0),
            room.slots,
            room.used,
            month.slow_boots,
            self._minted.window_since_s(month),
        )
