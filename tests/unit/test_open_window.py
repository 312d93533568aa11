"""R13: what powerd reads on the chain about a Down of this node that no file remembers exactly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.adapters.simulated.chain import SimulatedChain
from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.host_facts import SimulatedHostFacts
from app.adapters.simulated.ledger import Ledger
from app.adapters.simulated.memory import SimulatedMemory
from app.domain.errors import ChainUnavailable
from app.domain.events import OperationFailed
from app.domain.model import Head, HeadKind, Inclusion, NodeId, NodePower, PastPower, Power, PowerState, Unreadable
from app.domain.rules.paid import DownWindow, Remedy
from app.domain.rules.power import OwnPower
from app.domain.services.own_power.open_window import OpenWindow
from tests.rigs.simulated.telemetry import SimulatedTelemetry
from tests.rigs.virtual_farm import context_of

pytestmark = pytest.mark.anyio

ME = NodeId(1)
UP, DOWN = Power.UP, Power.DOWN
BOOT = "machine-boot-1"


class RememberingChain(SimulatedChain):
    """Its past blocks are what the test says; ``away``: they can't be asked for."""

    past: dict[int, PastPower]
    away = False

    async def power_in(self, node: NodeId, block: Inclusion) -> PastPower | None:
        self.reads += 1
        if self.away:
            raise ChainUnavailable("away")
        return self.past.get(block.block_number or 0)


class World:
    def __init__(self, clock: VirtualClock, kept: DownWindow | None = None, *, memory: bool = True) -> None:
        self.clock = clock
        self.chain = RememberingChain(Ledger(clock.now()), clock, b"me")
        self.chain.past = {}
        self.memory = SimulatedMemory(kept)
        self.telemetry = SimulatedTelemetry()
        facts = SimulatedHostFacts(clock, uptime_s=5000)
        kept_by = self.memory if memory else None
        self.window = OpenWindow(context_of(clock, ME, self.telemetry), kept_by, self.chain, facts)

    def opened(self, **over: object) -> DownWindow:
        return replace(DownWindow(BOOT, self.clock.now() - 60, sure=True), **over)  # type: ignore[arg-type]

    def remember(self, number: int, state: Power, target: Power, **at: Power) -> None:
        since = number if state is DOWN else None
        head = Head(HeadKind.BEST, number, f"0x{number}", self.clock.now() - 100 + number)
        self.chain.past[number] = PastPower(head, NodePower(PowerState(state, since), target), **at)

    async def saw(self, target: Power, state: Power, since: int | None = None) -> None:
        await self.window.saw(OwnPower(None, NodePower(PowerState(state, since), target)))


async def test_an_intent_whose_down_never_landed_is_dropped_by_the_next_process(clock: VirtualClock) -> None:
    world = World(clock, DownWindow(BOOT, clock.now() - 60))
    await world.window.saw(OwnPower(None, Unreadable("garbled")))
    assert world.memory.record is not None
    assert world.window.window is None
    await world.saw(DOWN, UP)
    assert world.memory.record is None


async def test_an_intent_whose_down_landed_is_sure(clock: VirtualClock) -> None:
    world = World(clock, DownWindow(BOOT, clock.now() - 60))
    await world.saw(UP, DOWN, 5)
    await world.window.load()
    await world.window.not_said()
    assert world.window.window is not None
    assert world.window.remedy is Remedy.REBOOT


async def test_a_down_after_a_boot_is_a_window_of_its_own_unless_the_chain_refuses_it(clock: VirtualClock) -> None:
    world = World(clock)
    before = replace(world.opened(), boot_id="an earlier boot")
    world.memory.record = before
    await world.window.saying_down()
    assert not world.window.booted
    await world.window.not_said()
    assert world.window.window == before
    await world.window.saying_down()
    await world.window.said_down(Inclusion("0x5", 5))
    assert world.memory.record == DownWindow(BOOT, clock.now(), 5, "0x5", sure=True)


async def test_without_a_memory_it_is_remembered_within_the_process(clock: VirtualClock) -> None:
    world = World(clock, memory=False)
    await world.window.saying_down()
    await world.window.said_down(Inclusion("0x5", 5))
    assert world.window.window is not None
    assert world.memory.record is None


@pytest.mark.parametrize(("target", "found"), [(DOWN, True), (UP, False), (None, False)])
async def test_a_down_that_was_not_kept_is_found_by_its_block(
    clock: VirtualClock, target: Power | None, found: bool
) -> None:
    world = World(clock)
    if target is not None:
        world.remember(5, DOWN, target, target_at_down=target)
    for _ in range(2):
        await world.saw(DOWN, DOWN, 5)
    assert (world.window.window is not None) is found
    assert world.chain.reads == 1


async def test_a_chain_that_can_not_be_asked_about_the_past_is_asked_again(clock: VirtualClock) -> None:
    world = World(clock)
    world.remember(5, DOWN, DOWN, target_at_down=DOWN)
    world.chain.away = True
    await world.saw(DOWN, DOWN, 5)
    assert any(isinstance(each, OperationFailed) for each in world.telemetry.recorded)
    assert world.window.window is None
    world.chain.away = False
    await world.saw(DOWN, DOWN, 5)
    assert world.window.window is not None


@pytest.mark.parametrize(
    ("up_block", "before_up", "open_"),
    [(None, None, False), (9, None, True), (9, DOWN, True), (9, UP, False)],
    ids=["no Up of ours", "forgotten", "moved", "lost"],
)
async def test_a_reorganisation_moved_our_down_or_lost_it(
    clock: VirtualClock, up_block: int | None, before_up: Power | None, open_: bool
) -> None:
    world = World(clock)
    world.memory.record = world.opened(down_block=5, down_hash="0x5", up_block=up_block)
    world.remember(5, UP, DOWN)
    if before_up is not None:
        world.remember(8, before_up, DOWN)
    await world.saw(DOWN, UP)
    assert (world.window.window is not None) is open_


@pytest.mark.parametrize(
    ("case", "open_"),
    [("no Up yet", True), ("same block", True), ("forgotten", True), ("earlier", True), ("never", False)],
)
async def test_a_down_of_unknown_fate_is_looked_for_before_our_up(clock: VirtualClock, case: str, open_: bool) -> None:
    world = World(clock)
    world.memory.record = world.opened(up_block=None if case == "no Up yet" else 9)
    if case == "same block":
        world.remember(9, UP, UP, target_at_down=DOWN, target_at_up=DOWN)
    elif case != "forgotten":
        world.remember(9, UP, UP, target_at_up=UP)
    if case == "earlier":
        world.remember(8, DOWN, DOWN, target_at_down=DOWN)
    elif case == "never":
        world.remember(8, UP, DOWN)
    await world.saw(UP, UP)
    assert (world.window.window is not None) is open_
    assert world.window.remedy is ({"earlier": Remedy.REBOOT}.get(case, Remedy.NEW_REQUEST) if open_ else None)


async def test_a_parent_that_is_forgotten_leaves_it_believed(clock: VirtualClock) -> None:
    world = World(clock)
    world.memory.record = world.opened(up_block=9)
    world.remember(9, UP, UP, target_at_up=DOWN)
    await world.saw(UP, UP)
    assert world.window.remedy is Remedy.NEW_REQUEST


async def test_behind_a_gateway_a_hash_alone_leaves_it_believed(clock: VirtualClock) -> None:
    world = World(clock)
    world.memory.record = world.opened(down_hash="0x5")
    await world.window.said_up(Inclusion("0x9", None))
    await world.window.may_be_said()
    await world.saw(UP, DOWN, 5)
    assert world.window.remedy is Remedy.REBOOT


async def test_a_window_of_this_boot_is_as_before_when_a_second_down_is_not_sent(clock: VirtualClock) -> None:
    """The block of our Up is still needed to know whether the target was Up by then."""
    kept = DownWindow(BOOT, clock.now() - 60, 3, sure=True, was_up=True, up_block=7)
    world = World(clock, kept)
    await world.window.saying_down()
    assert world.memory.record == replace(kept, was_up=False, up_block=None)
    await world.window.not_said()
    assert world.memory.record == kept
