"""The small services: inbox, fault board, identification, directory, and the values they handle."""

from __future__ import annotations

import asyncio

import pytest

from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.farm_setup import mac_of
from app.adapters.simulated.fault_display import SimulatedFaultDisplay
from app.adapters.simulated.identity import SimulatedIdentity
from app.adapters.simulated.magic_packets import SimulatedMagicPackets, SimulatedNetwork
from app.domain.errors import AmbiguousTarget, PermanentError, RetryableError, UnknownIdentity
from app.domain.events import (
    Delivery,
    DomainEvent,
    FaultCleared,
    FaultRaised,
    OperationFailed,
    PowerTargetChanged,
    WakeBurstStarted,
)
from app.domain.faults import FaultKind
from app.domain.model import FarmId, Fault, Health, Mac, NodeId, NodeIdentity, Power, TwinId
from app.domain.services.context.fault_board import FaultBoard
from app.domain.services.events.event_inbox import EventInbox
from app.domain.services.identification import Identification
from app.domain.services.waking.bursts import Burst, Bursts
from tests.rigs.policies import POLICIES
from tests.rigs.simulated.telemetry import SimulatedTelemetry
from tests.rigs.virtual_farm import context_of

pytestmark = pytest.mark.anyio

ME = NodeIdentity(NodeId(1), FarmId(1), TwinId(2))


def entry(number: int) -> Delivery:
    return Delivery(f"{number}-0", 0.0, PowerTargetChanged(FarmId(1), NodeId(number), Power.UP))


async def test_the_inbox_holds_an_entry_delivered_twice_once(clock: VirtualClock) -> None:
    inbox = EventInbox(context_of(clock))
    await inbox.put([entry(1), entry(2)])
    await inbox.put([entry(1)])
    assert [delivery.id for delivery in await inbox.due()] == ["1-0", "2-0"]


async def test_a_full_inbox_makes_the_reader_wait_until_something_is_done(clock: VirtualClock) -> None:
    inbox = EventInbox(context_of(clock), entries_max=2)
    await inbox.put([])
    await inbox.put([entry(1), entry(2), entry(3)])
    async with asyncio.TaskGroup() as group:
        task = group.create_task(inbox.put([entry(4)]))
        await clock.sleep(1)
        assert not task.done()
        inbox.done([entry(1)])
        await clock.sleep(1)
        assert not task.done()
        inbox.done([entry(2), entry(3)])
    assert [delivery.id for delivery in await inbox.due()] == ["4-0"]


async def test_deliveries_that_one_request_answers_are_retried_together(clock: VirtualClock) -> None:
    inbox = EventInbox(context_of(clock))
    for number in (2, 3):
        await inbox.put([entry(number)])
        inbox.postpone(await inbox.due())
    failed_at_s = clock.monotonic()
    assert [delivery.id for delivery in await inbox.due()] == ["2-0", "3-0"]
    assert clock.monotonic() - failed_at_s == pytest.approx(2, rel=0.25)


async def test_a_new_delivery_is_due_at_once_with_those_that_failed(clock: VirtualClock) -> None:
    inbox = EventInbox(context_of(clock))
    await inbox.put([entry(2)])
    inbox.postpone(await inbox.due())
    await inbox.put([entry(3)])
    assert [delivery.id for delivery in await inbox.due()] == ["2-0", "3-0"]
    assert clock.monotonic() == 0


async def test_where_each_node_is_a_request_each_is_retried_by_itself(clock: VirtualClock) -> None:
    inbox = EventInbox(context_of(clock), nodes_max=4)
    await inbox.put([entry(2)])
    inbox.postpone(await inbox.due())
    await inbox.put([entry(3)])
    assert [delivery.id for delivery in await inbox.due()] == ["3-0"]


async def test_r15_a_fault_whose_figures_change_at_every_look_is_logged_once_and_shows_the_newest(
    clock: VirtualClock,
) -> None:
    telemetry = SimulatedTelemetry()
    board = FaultBoard(SimulatedFaultDisplay(), clock, telemetry, lambda: 0.5)
    for look in range(5):
        board.report(FaultKind.UPTIME.key(), f"report_uptime_v2 failed in block 0x{look:064x}: {look} s old")
    assert telemetry.recorded == [FaultRaised("uptime", f"report_uptime_v2 failed in block 0x{0:064x}: 0 s old")]
    assert board.faults[0].message.endswith("4 s old")
    board.report(FaultKind.UPTIME.key(), "node 3 has another address: 52:54:00:00:00:01")
    board.report(FaultKind.UPTIME.key(), "node 4 has another address: 52:54:00:00:00:01")
    board.report(FaultKind.UPTIME.key(), "node 4 has another address: 52:54:00:00:00:02")
    assert len(telemetry.recorded) == 4


class FailingDisplay(SimulatedFaultDisplay):
    failures = 2

    async def show(self, faults: object) -> None:
        if self.failures:
            self.failures -= 1
            raise RetryableError("zui is away")
        await super().show(faults)  # type: ignore[arg-type]


async def test_faults_are_shown_again_until_the_display_takes_them(clock: VirtualClock) -> None:
    display, telemetry = FailingDisplay(), SimulatedTelemetry()
    board = FaultBoard(display, clock, telemetry, lambda: 0.5)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(board.run())
        board.report(FaultKind.WALLET.key(), "empty")
        board.report(FaultKind.WALLET.key(), "empty")
        board.clear(FaultKind.UPTIME.key())
        await clock.sleep(60)
        assert list(display.shown) == [Fault("wallet", "empty")] == list(board.faults)
        board.clear(FaultKind.WALLET.key())
        await clock.sleep(60)
        assert not list(display.shown)
        await clock.sleep(4000)
        task.cancel()
    assert telemetry.of(FaultRaised) == [FaultRaised("wallet", "empty")]
    assert telemetry.of(FaultCleared) == [FaultCleared("wallet")]
    assert len(telemetry.of(OperationFailed)) == 2


async def test_where_there_is_no_fault_the_display_is_rarely_asked_to_show_none(clock: VirtualClock) -> None:
    shown: list[object] = []

    class Display(SimulatedFaultDisplay):
        async def show(self, faults: object) -> None:
            shown.append(faults)

    board = FaultBoard(Display(), clock, SimulatedTelemetry(), lambda: 0.5)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(board.run())
        await clock.sleep(7300)
        assert shown == [(), (), ()]
        board.report(FaultKind.WALLET.key(), "empty")
        await clock.sleep(3000)
        assert len(shown) == 3 + 1 + 9, "a display that was restarted has lost them"
        task.cancel()


async def test_identification_waits_for_a_registration_in_progress(clock: VirtualClock) -> None:
    identity, telemetry = SimulatedIdentity(ME, fail_times=5), SimulatedTelemetry()
    assert await Identification(identity, context_of(clock, telemetry=telemetry)).run() == ME
    assert len(telemetry.of(OperationFailed)) == 5
    assert telemetry.of(FaultRaised) == []


async def test_identification_that_takes_minutes_is_a_fault_until_it_succeeds(clock: VirtualClock) -> None:
    identity, telemetry = SimulatedIdentity(ME, fail_times=20), SimulatedTelemetry()
    identification = Identification(identity, context_of(clock, telemetry=telemetry))
    assert await identification.run() == ME
    (fault,) = telemetry.of(FaultRaised)
    for words in ("looking up this node's ids has failed for 1 min", "does not know which node this is", "chain.urls"):
        assert words in fault.message
    assert telemetry.of(FaultCleared) == [FaultCleared("identity")]
    assert identification.waiting_for == ""


async def test_identification_gives_up_on_a_node_that_does_not_exist(clock: VirtualClock) -> None:
    identification = Identification(SimulatedIdentity(None), context_of(clock))
    with pytest.raises(UnknownIdentity):
        await identification.run()


@pytest.mark.parametrize(("is_up", "is_down", "words"), [(False, False, "neither"), (True, True, "both")])
def test_an_event_whose_target_is_neither_or_both_is_refused(is_up: bool, is_down: bool, words: str) -> None:
    with pytest.raises(AmbiguousTarget, match=words):
        PowerTargetChanged.from_flags(1, 7, is_up=is_up, is_down=is_down)


@pytest.mark.parametrize("up", [True, False])
def test_an_event_with_one_flag_is_read(up: bool) -> None:
    change = PowerTargetChanged.from_flags(1, 7, is_up=up, is_down=not up)
    assert change == PowerTargetChanged(FarmId(1), NodeId(7), Power.UP if up else Power.DOWN)


@pytest.mark.parametrize(
    ("text", "canonical"), [("54:B2:03:a0:11:22", "54:b2:03:a0:11:22"), (" 54-b2-03-a0-11-22 ", "54:b2:03:a0:11:22")]
)
def test_addresses_are_read_in_both_spellings(text: str, canonical: str) -> None:
    assert str(Mac.parse(text)) == canonical
    assert Mac.parse(text).octets == bytes.fromhex("54b203a01122")


@pytest.mark.parametrize(
    "text", ["", "54:b2", "54:b2:03:a0:11:2g", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01"]
)
def test_addresses_no_card_can_own_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"MAC address|no single card"):
        Mac.parse(text)


def test_health_is_good_while_nothing_speaks_against_it() -> None:
    assert Health().good
    assert not Health(("readonly-cache",)).good


def test_errors_tell_retryable_from_permanent() -> None:
    assert not issubclass(RetryableError, PermanentError)
    assert not issubclass(PermanentError, RetryableError)


async def test_bursts_that_keep_coming_delay_the_caller_by_one_burst_at_most(clock: VirtualClock) -> None:
    bursts = Bursts(context_of(clock), SimulatedMagicPackets(SimulatedNetwork(clock)), POLICIES.wake)
    burst = Burst(mac_of(1, 2), WakeBurstStarted(NodeId(2), 1, "a test"))

    async def keep_sending() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(bursts.run())
            while True:
                bursts.start([burst])
                await clock.sleep(1)

    sending = asyncio.create_task(keep_sending())
    await clock.sleep(0.1)
    began_s = clock.monotonic()
    await bursts.finish()
    assert clock.monotonic() - began_s == pytest.approx(POLICIES.wake.burst_s + 1)
    sending.cancel()


class FirstEvent(SimulatedTelemetry):
    """Telemetry that can be awaited."""

    def __init__(self) -> None:
        super().__init__()
        self.came = asyncio.Event()

    def record(self, event: DomainEvent) -> None:
        super().record(event)
        self.came.set()


@pytest.mark.parametrize("stopped_early", [False, True])
async def test_all_first_packets_leave_before_telemetry_gets_a_burst_and_each_is_recorded_once(
    clock: VirtualClock, stopped_early: bool
) -> None:
    network, telemetry = SimulatedNetwork(clock), FirstEvent()
    bursts = Bursts(context_of(clock, telemetry=telemetry), SimulatedMagicPackets(network), POLICIES.wake)
    nodes = [NodeId(number) for number in range(2, 102)]
    bursts.start([Burst(mac_of(1, node), WakeBurstStarted(node, 1, "a test")) for node in nodes])
    sending = asyncio.create_task(bursts.run())
    await telemetry.came.wait()
    assert network.carried == len(nodes)
    assert len(telemetry.recorded) < len(nodes)
    if not stopped_early:
        await clock.sleep(0.1)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert [burst.node for burst in telemetry.of(WakeBurstStarted)] == nodes
