"""What every `SignsOfLife` does, on the simulated chain and on a real one over WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from app.adapters.simulated.chain import SimulatedChain
from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.farm_setup import add_farm
from app.adapters.simulated.ledger import Ledger
from app.adapters.simulated.signs_of_life import SimulatedSignsOfLife
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.signs_of_life import SubstrateSignsOfLife
from app.domain.model import NodeId, UptimeSample
from app.ports.chain import Chain
from app.ports.signs_of_life import SignsOfLife
from tests.rigs.chain.as_process import dev_chain
from tests.rigs.chain.behind_ports import NO_NODE, substrate_world
from tests.rigs.virtual_time import run_virtually


@dataclass(frozen=True)
class World:
    """``chain`` signs as ``node``; ``peer`` is another node of its farm, and silent."""

    signs: SignsOfLife
    chain: Chain
    node: NodeId
    peer: NodeId
    sample: Callable[[], UptimeSample]


Test = Callable[[World], Coroutine[Any, Any, None]]
Rig = Callable[[Test], None]


@contextmanager
def simulated_rig() -> Iterator[Rig]:
    def play(test: Test) -> None:
        async def body() -> None:
            clock = VirtualClock()
            ledger = Ledger(clock.now(), block_time_s=0)
            farmer, *nodes = (bytes([number]) * 32 for number in range(1, 4))
            _, ids = add_farm(ledger, farmer, nodes)
            chain = SimulatedChain(ledger, clock, nodes[0])
            signs = SimulatedSignsOfLife(ledger)
            await test(
                World(signs, chain, NodeId(ids[0]), NodeId(ids[1]), lambda: UptimeSample(3600, int(clock.now())))
            )

        run_virtually(body)

    yield play


@contextmanager
def substrate_rig() -> Iterator[Rig]:
    with dev_chain() as access, asyncio.Runner() as runner:
        client = SubstrateClient([access.url])
        chain = runner.run(substrate_world(client, access))
        world = World(SubstrateSignsOfLife(client), chain.chain, chain.node, chain.peer, chain.sample)
        try:
            yield lambda test: runner.run(test(world))
        finally:
            runner.run(client.close())


@pytest.fixture(scope="module", params=[simulated_rig, substrate_rig], ids=["simulated", "substrate"])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with request.param() as made:
        yield made


def test_an_uptime_report_moves_the_counter_of_its_node_and_of_no_other(rig: Rig) -> None:
    async def test(world: World) -> None:
        assert isinstance(world.signs, SignsOfLife)
        before = await world.signs.counters([world.node, world.peer])
        await world.chain.report_uptime(world.sample)
        after = await world.signs.counters([world.node, world.peer])
        assert after.of[world.node] != before.of[world.node]
        assert after.of[world.peer] == before.of[world.peer]

    rig(test)


def test_reading_moves_nothing(rig: Rig) -> None:
    async def test(world: World) -> None:
        before, after = await world.signs.counters([world.node]), await world.signs.counters([world.node])
        assert before.of == after.of

    rig(test)


def test_nodes_that_do_not_exist_are_left_out(rig: Rig) -> None:
    async def test(world: World) -> None:
        assert set((await world.signs.counters([NO_NODE, world.peer])).of) == {world.peer}
        assert (await world.signs.counters([NO_NODE])).of == {}
        assert (await world.signs.counters([])).of == {}

    rig(test)


def test_an_earlier_block_has_the_counters_of_then(rig: Rig) -> None:
    async def test(world: World) -> None:
        await world.chain.report_uptime(world.sample)
        now = await world.signs.counters([world.node, world.peer, NO_NODE])
        earlier = await world.signs.earlier([world.node, world.peer, NO_NODE])
        assert earlier is not None
        assert earlier.time_s <= now.time_s
        assert set(earlier.of) == {world.node, world.peer}
        assert earlier.of[world.node] <= now.of[world.node]
        assert earlier.of[world.peer] == now.of[world.peer]

    rig(test)
