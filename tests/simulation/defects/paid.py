"""Defects in what a farmer is paid by (R13)."""

from __future__ import annotations

import dataclasses
from typing import Any

from msgspec.structs import replace

from app.domain.commands import LookAgain
from app.domain.rules.power import Observation
from app.domain.services.node_services import NodeServices
from app.entrypoints.simulator.plan.farmer_policies import Bot, FarmerPolicy, NodeView, policy_of
from app.entrypoints.simulator.plan.plan import PolicyPlan
from app.entrypoints.wiring.node_services import Ports
from app.entrypoints.wiring.policies import Policies
from tests.simulation.defects.defect import Defect, plant


def _says_up_and_stays(services: NodeServices, ports: Ports) -> None:
    own: Any = services.server.own

    async def nothing(seen: Observation) -> LookAgain:
        return LookAgain.NEXT_ROUND

    plant(own._aborted, "look", nothing)


def _reboots_without_looking(services: NodeServices, ports: Ports) -> None:
    shutdown: Any = services.shutdown
    abort = shutdown._abort

    async def rebooting(*why: object) -> None:
        said_down = shutdown._state._may_be_down
        await abort(*why)
        if said_down:
            await ports.host_power.reboot()

    plant(shutdown, "_abort", rebooting)


def _forty_minutes(policies: Policies) -> Policies:
    return dataclasses.replace(policies, uptime=dataclasses.replace(policies.uptime, interval_s=2400.0))


def _loses_a_report(services: NodeServices, ports: Ports) -> None:
    uptime: Any = services.uptime

    async def next_time(error: Exception) -> float:
        interval_s: float = uptime._policy.interval_s
        return interval_s

    plant(uptime, "_after_failure", next_time)


class OversleepingBot(Bot):
    """Wakes for need, or when the 24 hours are just over."""

    def _is_due(self, node: NodeView, now_s: float) -> bool:
        return now_s - node.last_up_s > 24 * 3600 + 60


def _oversleeping(plan: PolicyPlan) -> FarmerPolicy:
    return OversleepingBot(replace(plan.bot, round_s=60.0)) if plan.kind == "bot" else policy_of(plan)


PAID: dict[str, Defect] = {
    "says Up and stays": Defect(
        "when the target turns Up after Down is in a block, the node only says Up", services=_says_up_and_stays
    ),
    "reboots without looking": Defect(
        "every shutdown that was aborted after Down ends in a reboot", services=_reboots_without_looking
    ),
    "a lost report in 40 minutes": Defect(
        "a report goes every 40 minutes, and one that is lost is not sent again",
        policies=_forty_minutes,
        services=_loses_a_report,
    ),
    "sleeps a day and a minute": Defect(
        "the farmer's bot wakes a sleeper after 24 h and a minute (worlds of 30 h)", policy=_oversleeping, hours=30.0
    ),
}
