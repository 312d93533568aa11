"""R15: an endpoint that does not work for minutes is a fault that names it, until it works."""

from __future__ import annotations

import asyncio

from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.fault_display import SimulatedFaultDisplay
from app.domain.services.context.fault_board import FaultBoard
from app.domain.services.context.node_context import ServiceContext
from app.domain.services.context.progress import Progress
from app.domain.services.endpoint_watch import EndpointWatch
from app.ports.chain import ChainEndpoints
from tests.rigs.simulated.chain_endpoints import SimulatedChainEndpoints
from tests.rigs.simulated.telemetry import SimulatedTelemetry
from tests.rigs.virtual_time import run_virtually

NAME = "wss://bad.example:443"


def test_r15_an_endpoint_that_stays_out_for_minutes_is_a_fault_until_it_works() -> None:
    async def body() -> None:
        clock = VirtualClock()
        board = FaultBoard(SimulatedFaultDisplay(), clock, SimulatedTelemetry(), lambda: 0.5)
        endpoints = SimulatedChainEndpoints()
        assert isinstance(endpoints, ChainEndpoints)
        watching = asyncio.ensure_future(
            EndpointWatch(
                endpoints, ServiceContext(clock, SimulatedTelemetry(), board, lambda: 0.5, Progress(clock))
            ).run()
        )
        endpoints.out = {NAME: "it swallows"}
        await clock.sleep(180)
        assert not board.faults, "a moment is no fault"
        await clock.sleep(250)
        (fault,) = board.faults
        assert fault.key == f"endpoint-{NAME}"
        assert NAME in fault.message
        assert "it swallows" in fault.message
        assert "chain.urls" in fault.message
        endpoints.out = {}
        await clock.sleep(61)
        assert not board.faults
        watching.cancel()

    run_virtually(body)
