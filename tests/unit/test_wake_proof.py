"""R14: a node sees that it was woken, remembers it, and where the operator wants that stays up until it did."""

from __future__ import annotations

import asyncio
import math

import pytest

from app.adapters.simulated.chain import SimulatedChain
from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.host_facts import SimulatedHostFacts
from app.adapters.simulated.host_power import Obedience
from app.adapters.simulated.ledger import Ledger
from app.adapters.simulated.memory import SimulatedMemory
from app.adapters.simulated.rtc_alarm import SimulatedRtcAlarm
from app.domain.errors import ChainUnavailable
from app.domain.events import OperationFailed, WakeProved
from app.domain.model import Head, HeadKind, Inclusion, NodeId, NodePower, PastPower, Power, PowerState
from app.domain.rules.power import OwnPower
from app.domain.rules.proved_wake import Departure, Trial, WakeRecord
from app.domain.services.own_power.clock_alarm import ClockAlarm
from app.domain.services.own_power.wake_proof import JUDGING_S, SHUTDOWN_S, WakeProof
from tests.rigs.simulated.telemetry import SimulatedTelemetry
from tests.rigs.virtual_farm import BLOCK_TIME_S, VirtualFarm, VirtualNode, context_of

pytestmark = pytest.mark.anyio

UP, DOWN = Power.UP, Power.DOWN
REQUIRED: dict[str, object] = {"power_management.require_proved_wake": True}


async def dark(farm: VirtualFarm, seconds: float) -> None:
    """Time passes on the chain, and no machine runs."""
    for _ in range(math.ceil(seconds / BLOCK_TIME_S)):
        await farm.clock.sleep(BLOCK_TIME_S)
        farm.ledger.produce(farm.clock.now())


def kept(memory: SimulatedMemory[WakeRecord]) -> WakeRecord:
    return memory.record or WakeRecord()


async def slept(farm: VirtualFarm, node: VirtualNode) -> None:
    await farm.set_target(1, DOWN)
    await farm.until(lambda: node.dark, within_s=120)


async def test_r14_it_stays_up_until_a_trial_and_the_wake_that_ends_it_is_a_proof(farm: VirtualFarm) -> None:
    async with farm.running(1, settings=REQUIRED) as node:
        await farm.set_target(1, DOWN)
        await farm.until(lambda: "no wake of this node was seen yet" in node.container.server().staying_up)
        await farm.clock.sleep(600)
        assert node.steps == []
        wakes, trial = node.hardware.wakes, node.hardware.trial
        trial.record = Trial(node.facts.boot_id(), node.facts.uptime_s() + 3600)
        await farm.until(lambda: node.dark, within_s=120)
        assert kept(wakes).departure is not None
    await dark(farm, 1800)
    await farm.set_target(1, UP)
    await dark(farm, 90)
    async with farm.running(1, settings=REQUIRED) as node:
        await farm.until(lambda: bool(node.recorded(WakeProved)))
        assert wakes.record == WakeRecord(None, node.recorded(WakeProved)[0].booted_at_s)
        assert await trial.load() is None
        assert node.container.operator().status().proved_wake_at_s == kept(wakes).proved_at_s
        await farm.until(lambda: farm.state(1) is UP)
        await slept(farm, node)


async def test_a_trial_that_ends_in_the_middle_of_a_shutdown_does_not_end_that(clock: VirtualClock) -> None:
    world = World(clock)
    world.memory.record = WakeRecord()
    proof = world.proof(required=True)
    world.trial.record = Trial(world.facts.boot_id(), UPTIME_S + 30)
    await world.saw(proof)
    await clock.sleep(60)
    assert await world.saw(proof) == ""
    await proof.leaving()
    await proof.staying()
    assert world.trial.record is not None
    await clock.sleep(SHUTDOWN_S)
    assert (await world.saw(proof)).startswith("no wake of this node was seen yet")


async def test_r14_without_the_setting_it_sleeps_and_the_proof_is_remembered_all_the_same(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await slept(farm, node)
    await farm.set_target(1, UP)
    await dark(farm, 60)
    async with farm.running(1) as node:
        await farm.until(lambda: kept(node.hardware.wakes).proved_at_s is not None)


async def test_r14_booted_long_after_it_was_called_it_was_not_woken_by_the_call(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await slept(farm, node)
    await dark(farm, 1800)
    await farm.set_target(1, UP)
    await dark(farm, 1200)
    async with farm.running(1) as node:
        await farm.until(lambda: node.hardware.wakes.record == WakeRecord())
        assert node.recorded(WakeProved) == []


async def test_r14_a_power_off_that_failed_is_no_departure(farm: VirtualFarm) -> None:
    def refuses(node: VirtualNode) -> None:
        node.host_power.mode = node.host_power.force_mode = Obedience.IGNORES

    async with farm.running(1, before=refuses) as node:
        await farm.set_target(1, DOWN)
        await farm.until(lambda: kept(node.hardware.wakes).departure is not None, within_s=120)
        await farm.until(lambda: kept(node.hardware.wakes).departure is None, within_s=900)


ME = NodeId(1)
UPTIME_S = 120


class RememberingChain(SimulatedChain):
    """A block each ``pace_s``; the node was called at ``called_s``. ``away``, ``slow_s``: as names say."""

    pace_s = 6.0
    called_s = 0.0
    first_s = 0.0
    number = 100_000
    forgets = away = False
    slow_s = 0.0

    async def power_in(self, node: NodeId, block: Inclusion) -> PastPower | None:
        self.reads += 1
        await asyncio.sleep(self.slow_s)
        if self.away:
            raise ChainUnavailable("away")
        assert block.block_number is not None
        at_s = max(self.first_s, self.now_s - (self.number - block.block_number) * self.pace_s)
        if self.forgets:
            return None
        target = UP if at_s >= self.called_s else DOWN
        return PastPower(Head(HeadKind.BEST, block.block_number, "0x", at_s), NodePower(PowerState(DOWN, 5), target))

    now_s = 0.0


class World:
    """The first look after a boot two minutes ago; the node had left an hour before, and was called at ``called_s``."""

    def __init__(self, clock: VirtualClock, *, called_before_boot_s: float = 60.0, memory: bool = True) -> None:
        self.clock = clock
        self.now_s = clock.now()
        self.boot_at_s = self.now_s - UPTIME_S
        self.chain = RememberingChain(Ledger(self.now_s), clock, b"me")
        self.chain.now_s, self.chain.called_s = self.now_s, self.boot_at_s - called_before_boot_s
        self.memory = SimulatedMemory(WakeRecord(Departure("an earlier boot", self.now_s - 3600)))
        self.trial = SimulatedMemory[Trial]()
        self.telemetry = SimulatedTelemetry()
        self.rtc = SimulatedRtcAlarm(clock)
        self.context = context_of(clock, ME, self.telemetry)
        self.facts = SimulatedHostFacts(clock, uptime_s=UPTIME_S)
        self._kept_by = self.memory if memory else None
        self._trials = self.trial if memory else None

    def proof(self, *, required: bool = False, rtc: SimulatedRtcAlarm | None = None) -> WakeProof:
        alarm = ClockAlarm(self.context, rtc, ahead_s=3600)
        return WakeProof(self.context, self._kept_by, self._trials, self.chain, self.facts, alarm, required=required)

    async def saw(self, proof: WakeProof, *, number: int | None = RememberingChain.number) -> str:
        head = Head(HeadKind.BEST, number, "0x", self.now_s)
        return await proof.objection(OwnPower(head, NodePower(PowerState(DOWN, 5), UP)))

    @property
    def faults(self) -> list[str]:
        return [fault.key for fault in self.context.faults.faults]


@pytest.mark.parametrize("pace_s", [6.0, 0.25, 12.0, 3.0])
async def test_the_blocks_around_the_boot_are_found_at_any_pace(clock: VirtualClock, pace_s: float) -> None:
    world = World(clock)
    world.chain.pace_s = pace_s
    proof = world.proof()
    await world.saw(proof)
    assert proof.proved_at_s == world.boot_at_s
    assert world.chain.reads <= 8
    await world.saw(proof)
    assert world.chain.reads <= 8


@pytest.mark.parametrize(
    "trouble",
    [
        "it was called long before",
        "it was called after the boot",
        "the blocks are forgotten",
        "the chain is younger than the boot",
    ],
)
async def test_what_the_chain_does_not_show_is_no_proof_and_is_not_asked_again(
    clock: VirtualClock, trouble: str
) -> None:
    called = {"it was called long before": 3000.0, "it was called after the boot": -30.0}
    world = World(clock, called_before_boot_s=called.get(trouble, 60.0))
    world.chain.forgets = trouble == "the blocks are forgotten"
    if trouble == "the chain is younger than the boot":
        world.chain.first_s = world.now_s - 10
    proof = world.proof()
    await world.saw(proof)
    assert proof.proved_at_s is None
    assert world.memory.record == WakeRecord()


async def test_a_chain_that_does_not_answer_is_asked_at_the_next_look(clock: VirtualClock) -> None:
    world = World(clock)
    proof = world.proof()
    world.chain.away = True
    await world.saw(proof)
    world.chain.away, world.chain.slow_s = False, JUDGING_S + 1
    await world.saw(proof)
    failures = [event.error for event in world.telemetry.recorded if isinstance(event, OperationFailed)]
    assert failures == ["away", "no answer within 10 s"]
    world.chain.slow_s = 0.0
    await world.saw(proof)
    assert proof.proved_at_s == pytest.approx(world.boot_at_s, abs=2 * JUDGING_S)


async def test_without_a_blocks_number_nothing_is_judged(clock: VirtualClock) -> None:
    world = World(clock)
    proof = world.proof()
    await world.saw(proof, number=None)
    await proof.objection(OwnPower(None, NodePower(PowerState(DOWN, 5), UP)))
    assert kept(world.memory).departure is not None
    assert world.chain.reads == 0


async def test_a_boot_by_the_clocks_alarm_is_no_wake(clock: VirtualClock) -> None:
    world = World(clock)
    world.memory.record = WakeRecord(Departure("an earlier boot", world.now_s - 3600, world.boot_at_s))
    await world.saw(world.proof())
    assert (world.memory.record, world.chain.reads) == (WakeRecord(), 0)


async def test_a_daemon_that_starts_again_in_the_same_boot_forgets_the_departure_and_keeps_the_proof(
    clock: VirtualClock,
) -> None:
    world = World(clock)
    world.memory.record = WakeRecord(Departure(world.facts.boot_id(), world.now_s - 60), 5.0)
    await world.saw(world.proof())
    assert world.memory.record == WakeRecord(None, 5.0)


async def test_a_departure_stands_while_the_node_leaves_and_is_taken_back_when_it_stays(clock: VirtualClock) -> None:
    world = World(clock)
    world.memory.record = WakeRecord(None, 5.0)
    proof = world.proof(rtc=world.rtc)
    await proof.staying()
    await world.saw(proof)
    await world.rtc.arm(600)
    await proof.leaving()
    left = Departure(world.facts.boot_id(), world.now_s, world.now_s + 600)
    await world.saw(proof)
    assert world.memory.record == WakeRecord(left, 5.0)
    await proof.staying()
    assert world.memory.record == WakeRecord(None, 5.0)


async def test_an_alarm_that_can_not_be_read_counts_as_due_at_once(clock: VirtualClock) -> None:
    world = World(clock)
    world.rtc.missing = True
    alarm = ClockAlarm(world.context, world.rtc, ahead_s=3600)
    assert await alarm.due_at_s() == clock.now()
    assert await ClockAlarm(world.context, SimulatedRtcAlarm(clock), ahead_s=3600).due_at_s() is None


async def test_a_memory_that_can_not_be_read_is_a_fault_and_keeps_the_node_up(clock: VirtualClock) -> None:
    world = World(clock)
    world.memory.unreadable = world.trial.unreadable = True
    proof = world.proof(required=True)
    unknown = "it is not known whether a wake of this node was seen: the simulated disk can't be read"
    assert await world.saw(proof) == unknown
    assert world.faults == ["wake-memory"]
    world.memory.unreadable = world.trial.unreadable = False
    assert (await world.saw(proof), world.faults) == ("", [])


async def test_a_memory_that_can_not_be_written_is_a_fault(clock: VirtualClock) -> None:
    world = World(clock)
    world.memory.unwritable = True
    await world.saw(world.proof())
    assert world.faults == ["wake-memory"]


async def test_without_a_memory_nothing_is_proved_and_the_guard_says_so(clock: VirtualClock) -> None:
    world = World(clock, memory=False)
    proof = world.proof(required=True)
    await proof.leaving()
    assert (await world.saw(proof)).startswith("this node has no memory for a proved wake")
    assert await world.saw(world.proof()) == ""
