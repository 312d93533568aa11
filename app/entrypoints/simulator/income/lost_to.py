"""Why the grid's minting did not credit some time: a fault, the farmer's script, or powerd itself.

A fault excuses a loss that it can have caused: the fault went on when the loss was decided, or half an hour before.
It must be a fault of the machine; where others had to wake the machine, one of any machine of its farm.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

from app.domain.minting.limits import REPORT_GAP_S_MAX
from app.domain.minting.month import Loss, Month
from app.domain.model import NodeId, Power
from app.entrypoints.simulator.plan.at_risk import unwakeable
from app.entrypoints.simulator.plan.farmer_policies import ASLEEP_S_MAX
from app.entrypoints.simulator.world.machine import Machine
from app.entrypoints.simulator.world.world import World

RECOVERY_S = 1800.0
"""A fault that ended this long before still excuses: wakes and orders to the host are repeated less and less often."""

REPORT_RECOVERY_S = 400.0
"""An attempt takes 180 s at most, and the next one follows within 100 s (`no_uptime_gap` says why)."""

WAKING = frozenset({Loss.OVERSLEPT, Loss.SLOW_BOOT, Loss.NOT_REPORTED})
"""Losses that other nodes can also cause."""


class LostTo(enum.Enum):
    """What caused the loss."""

    POWERD = "powerd"
    FAULTS = "faults"
    FARMER = "the farmer"


class Attribution:
    """Of one run. All its times are virtual seconds, but those of a `Month`."""

    def __init__(self, world: World, epoch_s: int) -> None:
        self._world = world
        self._epoch_s = epoch_s
        self._without_waker: set[NodeId] = set()
        self._unwakeable = {NodeId(each.node) for each in unwakeable(world.plan)}
        policy = world.plan.policy
        self._follows_targets = policy.kind == "script" or not policy.bot.daily_wake_up

    def requested(self, node: NodeId, months: Mapping[NodeId, Month]) -> None:
        """The node's boot request came now; note whether a node of its farm can answer it."""
        peers = (machine.identity.node for machine in self._world.farm.machines)
        if any(months[peer].state is Power.UP for peer in peers):
            self._without_waker.discard(node)
        else:
            self._without_waker.add(node)

    def of(self, machine: Machine, month: Month, loss: Loss, since_s: float, until_s: float) -> LostTo:
        """Why this time was not credited; ``month`` is the month before that decision."""
        if loss is Loss.GAP:
            # Reports come twice in 41 minutes. So a fault shorter than the loss would not have cost it.
            troubled_s = machine.fault_history.lasted_s(since_s - REPORT_GAP_S_MAX, until_s, REPORT_RECOVERY_S)
            return LostTo.FAULTS if troubled_s >= until_s - since_s else LostTo.POWERD
        node = machine.identity.node
        if self._farmers_choice(node, month, loss, until_s):
            return LostTo.FARMER
        from_s, to_s = self._decided(month, loss, since_s, until_s)
        farm = self._world.farm.machines
        concerned = farm if loss in WAKING else [machine]
        if any(each.fault_history.any_between(from_s - RECOVERY_S, to_s) for each in concerned):
            return LostTo.FAULTS
        return LostTo.POWERD

    def _farmers_choice(self, node: NodeId, month: Month, loss: Loss, until_s: float) -> bool:
        """A farmer who lets nodes sleep by a script also answers for the time, and for a node that can wake them."""
        if node in self._unwakeable and loss in WAKING:
            return True
        if not self._follows_targets:
            return False
        if loss in (Loss.SLOW_BOOT, Loss.NOT_REPORTED) and node in self._without_waker:
            return True
        called_s = until_s if month.request_s is None else month.request_s - self._epoch_s
        slept_s = 0.0 if month.window_s is None else called_s - (month.window_s - self._epoch_s)
        return loss is Loss.CALLED_AWAKE or (loss in WAKING and slept_s > ASLEEP_S_MAX)

    def _decided(self, month: Month, loss: Loss, since_s: float, until_s: float) -> tuple[float, float]:
        """From when to when the loss could still have been prevented."""
        if loss is Loss.ABORTED_SLEEP and month.window_s is not None:
            down_s = month.window_s - self._epoch_s
            return down_s, min(until_s, down_s + RECOVERY_S)
        if loss in WAKING and month.request_s is not None:
            return month.request_s - self._epoch_s, until_s
        return since_s, until_s
