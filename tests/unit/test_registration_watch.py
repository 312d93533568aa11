"""R15: a node whose ids on the chain changed since its start logs it, and restarts."""

from __future__ import annotations

import asyncio

import pytest

from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.fault_display import SimulatedFaultDisplay
from app.adapters.simulated.identity import SimulatedIdentity
from app.domain.errors import ChainUnavailable, IdentityChanged, PowerdError, WrongChain
from app.domain.events import OperationFailed
from app.domain.model import FarmId, NodeId, NodeIdentity, TwinId
from app.domain.services.context.fault_board import FaultBoard
from app.domain.services.context.node_context import NodeContext
from app.domain.services.context.progress import Progress
from app.domain.services.registration_watch import LOOK_EVERY_S, RegistrationWatch
from tests.rigs.simulated.telemetry import SimulatedTelemetry

pytestmark = pytest.mark.anyio

OWN = NodeIdentity(NodeId(7), FarmId(1), TwinId(9))


class Rig:
    def __init__(self, clock: VirtualClock) -> None:
        self.identity = SimulatedIdentity(OWN)
        self.telemetry = SimulatedTelemetry()
        self.board = FaultBoard(SimulatedFaultDisplay(), clock, self.telemetry, lambda: 0.5)
        self.watch = RegistrationWatch(
            self.identity, NodeContext(clock, self.telemetry, self.board, lambda: 0.5, Progress(clock), OWN)
        )


async def test_r15_a_node_without_a_twin_is_a_fault_before_its_silence_is_one(clock: VirtualClock) -> None:
    rig = Rig(clock)
    watching = asyncio.create_task(rig.watch.run())
    rig.identity.identity = None
    await clock.sleep(LOOK_EVERY_S + 1)
    (fault,) = rig.board.faults
    assert fault.key == "registration"
    for part in ("node 7", "no node of this key", "nothing is paid"):
        assert part in fault.message
    rig.identity.identity = OWN
    await clock.sleep(LOOK_EVERY_S)
    assert not rig.board.faults
    watching.cancel()


async def test_r15_another_farm_ends_the_daemon_which_names_both(clock: VirtualClock) -> None:
    rig = Rig(clock)
    rig.identity.identity = NodeIdentity(NodeId(7), FarmId(2), TwinId(9))
    with pytest.raises(IdentityChanged, match=r"node 7 of farm 2 \(twin 9\) now.*node 7 of farm 1"):
        await rig.watch.run()


@pytest.mark.parametrize("failure", [ChainUnavailable("away"), WrongChain("the endpoint serves another chain")])
async def test_a_chain_that_can_not_be_asked_changes_nothing(clock: VirtualClock, failure: PowerdError) -> None:
    rig = Rig(clock)
    rig.identity.fail_times, rig.identity.failure = 2, failure
    watching = asyncio.create_task(rig.watch.run())
    await clock.sleep(3 * LOOK_EVERY_S + 1)
    assert rig.identity.asked == 3
    assert len(rig.telemetry.of(OperationFailed)) == 2
    assert not rig.board.faults
    assert not watching.done()
    watching.cancel()
