"""A bug in the shutdown ends the daemon, and takes the Down back."""

from __future__ import annotations

import pytest
from dependency_injector import providers

from app.domain.events import DomainEvent, PowerStateSet, ShutdownStep
from app.domain.model import Power
from tests.rigs.simulated.telemetry import SimulatedTelemetry
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio


class Bug(Exception):
    """An error that no code expects."""


class BrokenTelemetry(SimulatedTelemetry):
    """Raises when the sequence passes a step."""

    def __init__(self, step: str) -> None:
        super().__init__()
        self._step = step

    def record(self, event: DomainEvent) -> None:
        super().record(event)
        if event == ShutdownStep(self._step):
            raise Bug


class TestABugInTheSequence:
    """The daemon ends and the machine runs on, so the chain must not say Down."""

    async def goes_down(self, farm: VirtualFarm, step: str) -> VirtualNode:
        nodes: list[VirtualNode] = []

        def break_it(node: VirtualNode) -> None:
            nodes.append(node)
            node.telemetry = BrokenTelemetry(step)
            node.container.telemetry.override(providers.Object(node.telemetry))

        async def go_down() -> None:
            async with farm.running(1, before=break_it):
                await farm.set_target(1, Power.DOWN)
                await farm.clock.sleep(600)

        with pytest.raises(ExceptionGroup) as raised:
            await go_down()
        assert raised.group_contains(Bug)
        return nodes[0]

    @pytest.mark.parametrize("step", ["final", "uptime", "target", "power off"])
    async def test_takes_the_down_back_that_was_said(self, farm: VirtualFarm, step: str) -> None:
        node = await self.goes_down(farm, step)
        assert node.recorded(PowerStateSet)[-1].power is Power.DOWN
        assert farm.state(1) is Power.DOWN
        farm.ledger.produce(farm.clock.now())
        assert farm.state(1) is Power.UP
        assert node.host_power.orders == []

    async def test_writes_nothing_where_nothing_was_said(self, farm: VirtualFarm) -> None:
        node = await self.goes_down(farm, "arm")
        farm.ledger.produce(farm.clock.now())
        assert node.recorded(PowerStateSet) == []
        assert farm.state(1) is Power.UP
