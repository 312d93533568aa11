"""R7: a sleeper is called in time while one waker works, though others are dark, deaf or without a chain."""

from __future__ import annotations

import random

import pytest

from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.farm_setup import mac_of
from app.domain.events import PowerTargetChanged
from app.domain.model import NodeId, Power
from app.domain.rules.wake_rank import order
from app.domain.services.waking.wake_reads import TURN_READ_S_MAX
from tests.rigs.policies import POLICIES
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio

SEEDS = range(20)
WAKERS = 9
SLEEPER = 10
POLICY = POLICIES.wake.order
AT_ONCE_S = 1.0


async def trouble(farm: VirtualFarm, nodes: dict[int, VirtualNode], dice: random.Random) -> None:
    """Something happens to one of the nodes."""
    node = nodes[dice.choice(sorted(nodes))]
    match dice.choice(["away", "hangs", "back", "again", "down", "look"]):
        case "away":
            node.chain.unavailable = True
        case "hangs":
            node.chain.hang_everything = True
        case "back":
            node.chain.unavailable = node.chain.hang_everything = False
        case "again":
            await node.deliver(PowerTargetChanged(farm.id, NodeId(SLEEPER), Power.UP))
        case "down":
            farm.want_down(node.id)
            await node.deliver(PowerTargetChanged(farm.id, node.id, Power.DOWN))
        case "look":
            node.container.services().farm_trigger.pull("a dice's request")


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_sleeper_is_called_at_once_by_a_first_waker_that_heard_of_it_and_in_time_by_any(
    clock: VirtualClock, seed: int
) -> None:
    dice = random.Random(seed)
    farm = VirtualFarm(clock, nodes=SLEEPER)
    farm.put_to_sleep(SLEEPER)
    working = dice.sample(range(1, WAKERS + 1), dice.randint(1, WAKERS))
    told = dice.sample(working, dice.randint(1, len(working)))
    first = order(NodeId(SLEEPER), [NodeId(node) for node in range(1, WAKERS + 1)])[: POLICY.first_wakers]
    bound_s = POLICY.delay_s_max + TURN_READ_S_MAX + AT_ONCE_S if not {*first} & {*told} else AT_ONCE_S
    async with farm.all_running(working) as nodes:
        await clock.sleep(10)
        await farm.set_target(SLEEPER, Power.UP, tell=told)
        told_at = clock.monotonic()
        await clock.sleep(0.1)
        while not farm.network.sent_to(mac_of(1, SLEEPER)) and clock.monotonic() < told_at + bound_s:
            await trouble(farm, nodes, dice)
            await clock.sleep(dice.choice([0.5, 5.0, 30.0]))
        packets = farm.network.sent_to(mac_of(1, SLEEPER))
    assert packets, "no node called"
    assert packets[0] - told_at < bound_s
