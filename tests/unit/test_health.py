"""/healthz answers 200 only while the daemon does what it is there for."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from app.adapters.prometheus.instruments import Instruments
from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.host_facts import SimulatedHostFacts
from app.adapters.simulated.identity import SimulatedIdentity
from app.adapters.telemetry.recent import KeptEvents
from app.domain.events import Reconciled, UptimeReported
from app.domain.faults import FaultKind, Urgency
from app.domain.model import FarmId, NodeId, NodeIdentity, Power, TwinId
from app.domain.rules.health import Loops, problems
from app.domain.services.context.progress import EVENTS, FARM, ITSELF, OF_A_DAEMON, PATIENCE_S, STREAM, UPTIME
from app.domain.services.identification import Identification
from app.domain.services.operator_service import OperatorService
from app.domain.status import FaultStatus, NodeStatus
from app.entrypoints.wiring.prometheus import monitor
from tests.rigs.metered import Metered
from tests.rigs.virtual_farm import VirtualFarm, context_of

pytestmark = pytest.mark.anyio

WELL = Loops(OF_A_DAEMON, dict.fromkeys(OF_A_DAEMON, 0.0), 100.0)


def wrong(status: NodeStatus, loops: Loops = WELL) -> list[str]:
    return [problem.what for problem in problems(status, loops)]


# -- the rules -----------------------------------------------------------------------------------------
def test_a_daemon_whose_loops_go_on_is_well() -> None:
    assert wrong(NodeStatus("1")) == []


def test_a_daemon_that_does_not_know_its_node_is_not() -> None:
    assert wrong(NodeStatus("1", waiting_for="registrar"), Loops(OF_A_DAEMON, {}, 100.0)) == ["identity"]


def test_a_loop_that_has_not_begun_or_hangs_is_named() -> None:
    assert wrong(NodeStatus("1"), replace(WELL, silent_s={ITSELF: 0.0})) == ["start"]
    silent = {**WELL.silent_s, FARM: 100.1, UPTIME: 100.0}
    assert wrong(NodeStatus("1"), replace(WELL, silent_s=silent)) == ["loop for the farm"]


@pytest.mark.parametrize("kind", FaultKind)
def test_a_fault_that_costs_this_node_income_counts_and_no_other(kind: FaultKind) -> None:
    key = kind.key(7 if "{}" in kind.pattern else "")
    of_a_peer = kind in (FaultKind.NODE_ASLEEP, FaultKind.NODE_SILENT)
    harms = kind.urgency is Urgency.AT_ONCE and not of_a_peer
    assert wrong(NodeStatus("1", faults=(FaultStatus(key, "x", 0.0),))) == ([f"fault {key}"] if harms else [])


def test_a_fault_of_another_version_does_not_count() -> None:
    assert wrong(NodeStatus("1", faults=(FaultStatus("not_measured-of", "x", 0.0),))) == []


# -- the daemon ----------------------------------------------------------------------------------------
async def test_a_node_is_well_once_every_loop_has_begun_and_stays_so(farm: VirtualFarm) -> None:
    meters: list[Metered] = []
    async with farm.running(1, before=lambda node: meters.append(Metered(node))) as node:
        assert meters[0].health() == (503, ["start"])
        await farm.until(lambda: bool(node.recorded(Reconciled)) and bool(node.recorded(UptimeReported)))
        await farm.set_target(2, Power.UP)
        for _ in range(12):
            await farm.clock.sleep(600)
            assert meters[0].health() == (200, [])
        assert set(meters[0].scrape().of["powerd_loop_silent_seconds"].values()) < {0.0} | set(range(60))
        assert meters[0].scrape()("powerd_healthy") == 1


async def test_a_reconcile_loop_that_hangs_is_503_and_200_when_it_goes_on(farm: VirtualFarm) -> None:
    meters: list[Metered] = []
    async with farm.running(1, before=lambda node: meters.append(Metered(node))) as node:
        await farm.clock.sleep(60)
        read = node.holds.active
        release = asyncio.Event()

        async def never() -> object:
            await release.wait()
            return await read()

        node.holds.active = never  # type: ignore[assignment, method-assign]
        await farm.clock.sleep(400 + PATIENCE_S / 2)
        assert meters[0].health() == (503, ["loop for itself"])
        assert meters[0].scrape()("powerd_healthy") == 0
        silent_s = meters[0].scrape()("powerd_loop_silent_seconds", loop=ITSELF)
        assert silent_s is not None
        assert silent_s > PATIENCE_S / 2
        node.holds.active = read  # type: ignore[method-assign]
        release.set()
        await farm.clock.sleep(10)
        assert meters[0].health() == (200, [])


@pytest.mark.parametrize("loop", [FARM, STREAM, EVENTS])
async def test_every_other_loop_that_hangs_is_503(farm: VirtualFarm, loop: str) -> None:
    meters: list[Metered] = []

    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    async with farm.running(1, before=lambda node: meters.append(Metered(node))) as node:
        await farm.clock.sleep(60)
        if loop == FARM:
            node.container.services().farm.peers = never  # type: ignore[assignment]
        elif loop == STREAM:
            node.events.receive = never  # type: ignore[assignment]
        else:
            node.events.acknowledge = never  # type: ignore[method-assign]
            await farm.set_target(2, Power.UP)
        await farm.clock.sleep(400 + PATIENCE_S / 2)
        assert meters[0].health() == (503, [f"loop for {loop}"])


async def test_reports_that_hang_are_503(farm: VirtualFarm) -> None:
    meters: list[Metered] = []
    async with farm.running(1, before=lambda node: meters.append(Metered(node))) as node:
        await farm.clock.sleep(60)

        async def never() -> None:
            await asyncio.Event().wait()

        node.container.services().uptime.send_now = never  # type: ignore[assignment, method-assign]
        await farm.clock.sleep(1400 + PATIENCE_S / 2)
        assert f"loop for {UPTIME}" in meters[0].health()[1]


async def test_a_full_inbox_is_no_hang_of_the_reader(farm: VirtualFarm) -> None:
    """The chain is away for hours: that is a fault, and the reader has nothing to do."""
    meters: list[Metered] = []
    async with farm.running(1, before=lambda node: meters.append(Metered(node))) as node:
        await farm.clock.sleep(60)
        node.chain.unavailable = True
        node.container.services().server._reader._inbox._entries_max = 1
        await farm.set_target(2, Power.UP)
        await farm.set_target(3, Power.UP)
        await farm.clock.sleep(3 * PATIENCE_S)
        assert not [what for what in meters[0].health()[1] if what.startswith("loop")]


async def test_before_it_is_known_which_node_this_is(clock: VirtualClock) -> None:
    context = context_of(clock)
    identity = SimulatedIdentity(NodeIdentity(NodeId(1), FarmId(1), TwinId(2)), fail_times=20)
    operator = OperatorService(
        Identification(identity, context), context, SimulatedHostFacts(clock), KeptEvents(clock), "1"
    )
    seen = monitor(operator, context.progress, Instruments(), clock)
    assert seen is not None
    assert seen.health().status == 503
    assert b"\npowerd_power_management_enabled " not in seen.text()
