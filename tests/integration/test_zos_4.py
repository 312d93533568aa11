"""The daemon on Zero-OS 4, whose api-gateway has the same name, and neither a chain nor power."""

from __future__ import annotations

import json

import pytest

from app.domain.model import Power
from tests.rigs.node import node_rig
from tests.rigs.node_settings import ME
from tests.rigs.status import status
from tests.rigs.zos import STAND_INS

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]


async def test_uptime_is_reported_and_nothing_else_is_done() -> None:
    """R8, R11: no fault either, since there is nothing to fix."""
    pace = {"uptime": {"interval_s": 0.5}, "power_management": {"reconcile_interval_s": 0.3}}
    async with node_rig(profile="zos", start_neighbours=False, settings=pace) as node:
        assert node.zos is not None
        gateway = node.zos.gateway
        gateway.arguments = (STAND_INS, "api-gateway-4", "--broker", node.redis.url())
        await node.zos.start()
        await node.daemon.start()
        await node.daemon.says("UptimeReported")
        await node.daemon.says("Reconciled", trigger="itself")
        mark = node.daemon.mark()
        await node.event(ME, Power.DOWN)
        await node.daemon.says("EventsHandled", since=mark)
        await node.daemon.says("UptimeReported", since=mark)
        await node.daemon.says("Reconciled", since=mark, trigger="itself")
        told = await status(node)
        assert "power-off    not enabled: this is Zero-OS 4, which has no power management" in told
        assert json.loads(await status(node, "--json"))["faults"] == []
        assert {json.loads(call)[0] for call in gateway.said} == {"UpdateNodeUptimeV2"}
        for trouble in ("FaultRaised", "OperationFailed", "StayingUp", "PowerOffOrdered"):
            assert node.daemon.count(trouble) == 0, trouble
        assert (
            node.daemon.count(
                "this is Zero-OS 4, which has no power management: uptime is reported, and nothing else is done"
            )
            == 1
        )
