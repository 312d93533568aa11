"""How a farmer decides which nodes are up: always on, as the farmer's bot does, or by a script.

A policy is a pure function of what the farmer sees; `app.entrypoints.simulator.run.farmer` submits what it wants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.model import NodeId, Power
from app.entrypoints.simulator.plan.plan import BotPlan, PolicyPlan, ScriptedTarget

DAY_S = 86_400
ASLEEP_S_MAX = 23 * 3600.0
"""The grid credits 24 h, from Down to the *report* after the next boot: an hour is left for waking and booting."""

JUST_UP_S = 3600.0
"""A node that was up this recently needs no wake for its daily sign of life."""


@dataclass(slots=True)
class NodeView:
    """A node as the farmer sees it: ``up_since_s`` is None while the chain does not show it Up.

    ``slow_boots`` are those that the grid's minting counted in this period, ``window_since_s`` is when it opened the
    down window that is open, or None (docs/minting.md).
    """

    id: NodeId
    target: Power
    up_since_s: float | None
    last_up_s: float
    slots: int
    used: int
    slow_boots: int = 0
    window_since_s: float | None = None


class FarmerPolicy(Protocol):
    """Decides."""

    @property
    def round_s(self) -> float:
        """How often it looks at the farm."""
        ...

    def targets(self, nodes: Sequence[NodeView], slots_wanted: int, now_s: float) -> Mapping[NodeId, Power]:
        """The targets to change; ``slots_wanted`` is the number of slots that waiting deployments need."""
        ...


class AlwaysOn:
    """No node ever sleeps: what the others are compared with."""

    round_s = 300.0

    def targets(self, nodes: Sequence[NodeView], slots_wanted: int, now_s: float) -> Mapping[NodeId, Power]:  # noqa: ARG002
        """Set every target to Up."""
        return {node.id: Power.UP for node in nodes if node.target is Power.DOWN}


class Scripted:
    """Targets at given times."""

    round_s = 6.0

    def __init__(self, script: Sequence[ScriptedTarget]) -> None:
        self._script = script

    def targets(self, nodes: Sequence[NodeView], slots_wanted: int, now_s: float) -> Mapping[NodeId, Power]:  # noqa: ARG002
        """The target in the newest line of each node."""
        said = {line.node: Power(line.target) for line in self._script if line.at_s <= now_s}
        return {node.id: said[node.id] for node in nodes if said.get(node.id, node.target) is not node.target}


class Bot:
    """The farmer's bot: idle nodes sleep, some stay awake, needed ones are woken, every node wakes once a day."""

    def __init__(self, plan: BotPlan) -> None:
        self._plan = plan
        self.round_s = plan.round_s

    def targets(self, nodes: Sequence[NodeView], slots_wanted: int, now_s: float) -> Mapping[NodeId, Power]:
        """Decide first which nodes must wake, then which nodes can sleep."""
        needed = {**self._on_demand(nodes, slots_wanted), **self._enough_awake(nodes)}
        woken = {**needed, **self._daily(nodes, now_s)}
        # A node that is woken only to be seen keeps no other awake.
        return woken if needed or slots_wanted else {**self._asleep(nodes, now_s), **woken}

    def _on_demand(self, nodes: Sequence[NodeView], slots_wanted: int) -> dict[NodeId, Power]:
        """As many nodes as the waiting deployments need, and one more where the awake nodes are nearly full."""
        wanted_up = [node for node in nodes if node.target is Power.UP]
        free = sum(node.slots - node.used for node in wanted_up if node.up_since_s is None)
        slots, used = sum(node.slots for node in wanted_up), sum(node.used for node in wanted_up)
        missing = slots_wanted - free
        woken: dict[NodeId, Power] = {}
        for node in nodes:
            nearly_full = used + slots_wanted > self._plan.wake_threshold * slots
            if missing <= 0 and not nearly_full:
                break
            if node.target is Power.DOWN:
                woken[node.id] = Power.UP
                missing -= node.slots
                slots += node.slots
        return woken

    def _enough_awake(self, nodes: Sequence[NodeView]) -> dict[NodeId, Power]:
        missing = self._plan.awake_min - sum(node.target is Power.UP for node in nodes)
        sleepers = [node.id for node in nodes if node.target is Power.DOWN]
        return dict.fromkeys(sleepers[: max(0, missing)], Power.UP)

    def _daily(self, nodes: Sequence[NodeView], now_s: float) -> dict[NodeId, Power]:
        if not self._plan.daily_wake_up:
            return {}
        return {node.id: Power.UP for node in nodes if node.target is Power.DOWN and self._is_due(node, now_s)}

    def _is_due(self, node: NodeView, now_s: float) -> bool:
        """In its minute of the day, or when it would sleep for too long until then.

        The minting's clock counts: a state Up in the middle of an open window, without a boot, does not restart it.
        """
        asleep_s = now_s - _asleep_since_s(node)
        its_minute = (now_s - _minute_of(node.id)) % DAY_S < self._plan.round_s
        return asleep_s > ASLEEP_S_MAX or (its_minute and asleep_s > JUST_UP_S)

    def _asleep(self, nodes: Sequence[NodeView], now_s: float) -> dict[NodeId, Power]:
        """Idle nodes, as long as enough stay awake and those are not nearly full."""
        awake = [node for node in nodes if node.target is Power.UP and node.up_since_s is not None]
        slots, used = sum(node.slots for node in awake), sum(node.used for node in awake)
        left = len(awake)
        asleep: dict[NodeId, Power] = {}
        for node in awake:
            slots -= node.slots
            if left <= self._plan.awake_min or used > self._plan.wake_threshold * slots * 0.9:
                break
            rested = node.up_since_s is not None and now_s - node.up_since_s >= self._plan.up_s_min
            # A second slow boot would cost the node's month: after the first it stays up for the rest of the period.
            if node.used == 0 and rested and not node.slow_boots:
                asleep[node.id] = Power.DOWN
                left -= 1
            else:
                slots += node.slots
        return asleep


def _asleep_since_s(node: NodeView) -> float:
    return node.last_up_s if node.window_since_s is None else min(node.last_up_s, node.window_since_s)


def _minute_of(node: int) -> int:
    """A minute of the day for every node, spread evenly (multiplication by the golden ratio)."""
    return node * 0x9E3779B1 % 2**32 * 1440 // 2**32 * 60


def policy_of(plan: PolicyPlan) -> FarmerPolicy:
    if plan.kind == "always-on":
        return AlwaysOn()
    return Scripted(plan.script) if plan.kind == "script" else Bot(plan.bot)
