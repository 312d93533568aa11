"""What every `FarmHistory` reads from the same blocks: of a ledger in memory, and over WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from app.adapters.simulated.ledger import Ledger
from app.adapters.simulated.ledger_blocks import Event
from app.adapters.simulated.pallet import StoredPower
from app.adapters.substrate.farm_history import SubstrateFarmHistory
from app.adapters.substrate.runtime import Runtime
from app.domain.minting.events import Initial, NodeUptimeReported, PowerStateChanged, PowerTargetChanged, TimedBlock
from app.domain.model import FarmId, NodeId, Power
from app.entrypoints.devchain.dev_runtime import SPEC_VERSION
from app.ports.farm_history import FarmHistory
from tests.rigs.chain.in_process import ChainWorld, chain_world, metadata
from tests.rigs.simulated.farm_history import SimulatedFarmHistory

BEGAN_S = 1_750_000_000
FARM, NODE, PEER = FarmId(1), NodeId(1), NodeId(2)

_TAG = Runtime(SPEC_VERSION, metadata(), "0x00").event_tag("TfgridModule", "NodeUptimeReported") or b""
LOOK_ALIKE = int.from_bytes(_TAG + NODE.to_bytes(4, "little") + b"\0\0", "little")


@dataclass(frozen=True)
class World:
    """Blocks 1 to 40 of the ledger, an hour from one to the next; node 1 says Down in block 10, and Up in 13."""

    history: FarmHistory
    ledger: Ledger

    def time_of(self, number: int) -> int:
        return BEGAN_S + 3600 * number


Test = Callable[[World], Coroutine[Any, Any, None]]
Rig = Callable[[Test], None]


def deposit(ledger: Ledger, time_s: int, *events: tuple[str, Any]) -> None:
    """A block with these events."""
    block = ledger.produce(time_s)
    assert block is not None
    block.events += [Event(0, "TfgridModule", name, attributes) for name, attributes in events]


def fill(ledger: Ledger) -> None:
    both = {"farm_id": 1, "node_id": 1}
    for number in range(1, 41):
        at_s = BEGAN_S + 3600 * number
        uptime_s = LOOK_ALIKE if number == 20 else 3600 * number
        told: list[tuple[str, Any]] = [("NodeUptimeReported", (2, at_s, uptime_s))]
        if number == 10:
            told.append(("PowerTargetChanged", {**both, "power_target": "Down"}))
            told.append(("PowerStateChanged", {**both, "power_state": {"Down": 10}}))
        if number == 13:
            told.append(("PowerStateChanged", {**both, "power_state": "Up"}))
            told.append(("NodeUptimeReported", (1, at_s, 60)))
        deposit(ledger, at_s, *told)
        if number == 10:
            ledger.force_storage("NodePower", 1, StoredPower(down_since=10, target="Down"))
        if number == 13:
            ledger.force_storage("NodePower", 1, StoredPower())


async def made(world: ChainWorld) -> World:
    fill(world.ledger)
    return World(SubstrateFarmHistory(world.client()), world.ledger)


@pytest.fixture(scope="module", params=["simulated", "substrate"])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with asyncio.Runner() as runner:
        around = chain_world(2, start_s=BEGAN_S)
        chain = runner.run(around.__aenter__())
        world = runner.run(made(chain))
        if request.param == "simulated":
            world = World(SimulatedFarmHistory(chain.ledger), chain.ledger)
        try:
            yield lambda test: runner.run(test(world))
        finally:
            runner.run(around.__aexit__(None, None, None))


def test_the_newest_block_is_the_finalized_one(rig: Rig) -> None:
    async def test(world: World) -> None:
        assert isinstance(world.history, FarmHistory)
        newest = await world.history.newest()
        assert (newest.ref.number, newest.ref.hash) == (37, world.ledger.finalized.hash)
        assert newest.time_s == world.time_of(37)
        assert await world.history.chain_id() == world.ledger.block(0).hash  # type: ignore[union-attr]

    rig(test)


@pytest.mark.parametrize("number", [0, 1, 2, 19, 20, 36, 37])
@pytest.mark.parametrize("second", [0, 1])
def test_a_time_finds_the_last_block_before_it(rig: Rig, number: int, second: int) -> None:
    async def test(world: World) -> None:
        found = await world.history.last_before(world.time_of(number) + second, await world.history.newest())
        assert found.ref.number == (number if second else max(0, number - 1))
        assert found.ref.number == 0 or found.time_s == world.time_of(found.ref.number)

    rig(test)


def test_each_event_of_the_nodes_comes_with_its_block_and_no_other_nodes_events(rig: Rig) -> None:
    async def test(world: World) -> None:
        blocks = await world.history.blocks([NODE], 9, 14)
        assert [block.block.ref.number for block in blocks] == list(range(9, 15))
        assert [list(block.events) for block in blocks if block.events] == [
            [
                PowerTargetChanged(world.time_of(10), NODE, Power.DOWN),
                PowerStateChanged(world.time_of(10), NODE, Power.DOWN),
            ],
            [PowerStateChanged(world.time_of(13), NODE, Power.UP), NodeUptimeReported(world.time_of(13), NODE, 60)],
        ]
        assert all(len(block.events) == 1 for block in await world.history.blocks([PEER], 1, 37))

    rig(test)


def test_powers_are_those_after_the_block_and_a_down_has_its_time(rig: Rig) -> None:
    async def test(world: World) -> None:
        for number, node in [
            (9, Initial(NODE, Power.UP, Power.UP)),
            (12, Initial(NODE, Power.DOWN, Power.DOWN, world.time_of(10))),
            (13, Initial(NODE, Power.UP, Power.UP)),
        ]:
            at = await block(world, number)
            assert list(await world.history.powers([NODE, PEER], at)) == [node, Initial(PEER, Power.UP, Power.UP)]

    rig(test)


def test_the_farms_nodes(rig: Rig) -> None:
    async def test(world: World) -> None:
        assert await world.history.nodes(FARM, await block(world, 5)) == (NODE, PEER)
        assert await world.history.nodes(FarmId(77), await block(world, 5)) == ()

    rig(test)


async def block(world: World, number: int) -> TimedBlock:
    return await world.history.last_before(world.time_of(number) + 1, await world.history.newest())


def test_bytes_that_look_like_a_report_are_none(rig: Rig) -> None:
    """The uptime of node 2 in block 20 holds the bytes by which a report of node 1 begins."""

    async def test(world: World) -> None:
        assert [block.events for block in await world.history.blocks([NODE], 20, 20)] == [()]
        (block,) = await world.history.blocks([PEER], 20, 20)
        assert block.events == (NodeUptimeReported(world.time_of(20), PEER, LOOK_ALIKE),)

    rig(test)
