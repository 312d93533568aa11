"""A node that cannot know what the chain wants logs the reason once, and raises a fault when it lasts (R6, R15)."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from app.domain.events import FaultRaised, PowerTargetChanged, PowerUnreadable, StayingUp
from app.domain.model import FarmId, Hold, NodeId, NodeIdentity, Power, TwinId
from app.domain.status import NodeStatus
from app.entrypoints.powerd.status.page import page
from app.entrypoints.terminal.colour import Paint
from tests.rigs.virtual_farm import VirtualFarm

pytestmark = pytest.mark.anyio


async def test_r6_an_old_head_is_logged_once_and_not_at_every_look(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        node.holds.place(Hold("backup", "nightly copy", None))
        await farm.set_target(1, Power.DOWN)
        await farm.clock.sleep(60)
        farm.ledger.hold_blocks = True
        node.holds.lift("backup")
        await farm.clock.sleep(3600)
        [told] = [told for told in node.recorded(StayingUp) if "held" not in told.reason]
        server = node.container.server()
        assert " s old, more than 60 s" in told.reason
        assert " s old, more than 60 s" in server.staying_up
        assert told.reason != server.staying_up, "the figures shown are the newest"
        farm.ledger.hold_blocks = False
        await farm.until(lambda: node.dark, within_s=400)


async def test_r15_an_answer_that_is_neither_up_nor_down_is_named_so_and_becomes_a_fault(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        node.chain.broken.add(NodeId(1))
        await node.deliver(PowerTargetChanged(farm.id, NodeId(1), Power.UP))
        await farm.until(lambda: bool(node.recorded(PowerUnreadable)))
        assert node.recorded(StayingUp) == [], "whether its target is Down is not known"
        assert "own-power" not in node.fault_keys
        await farm.until(lambda: "own-power" in node.fault_keys, within_s=200)
        assert "neither Up nor Down" in node.fault("own-power").message
        await farm.clock.sleep(3600)
        assert len(node.recorded(PowerUnreadable)) == 1
        assert [told.key for told in node.recorded(FaultRaised)] == ["own-power"]
        node.chain.broken.clear()
        await farm.until(lambda: node.fault_keys == set())
        assert node.container.server().staying_up == ""


async def test_r15_a_chain_that_cannot_be_read_for_minutes_is_a_fault_for_the_node_and_for_the_farm(
    farm: VirtualFarm,
) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        node.chain.unavailable = True
        await farm.until(lambda: {"own-power", "farm-power"} <= node.fault_keys, within_s=700)
        assert "the simulated chain is away" in node.fault("own-power").message
        assert "api-gateway" in node.fault("farm-power").message
        node.chain.unavailable = False
        await farm.until(lambda: node.fault_keys == set(), within_s=90)


async def test_r15_while_looks_fail_a_storm_of_events_is_no_storm_of_looks(farm: VirtualFarm) -> None:
    async with farm.running(1) as node:
        await farm.clock.sleep(10)
        node.chain.unavailable = True
        trigger = node.container.services().own_trigger
        before = node.chain.reads
        for _ in range(600):
            trigger.pull("event")
            await farm.clock.sleep(0.1)
        assert node.chain.reads - before < 40


def test_status_distinguishes_an_unreadable_answer_from_no_answer_yet() -> None:
    status = NodeStatus("1", identity=NodeIdentity(NodeId(1), FarmId(1), TwinId(2)))
    met = replace(status, looked_at_s=1_700_000_000.0)
    assert "chain        not read yet" in page(status, 80, Paint(io.StringIO()))
    answer = "chain        its answer about this node can't be understood"
    assert answer in page(met, 80, Paint(io.StringIO()))
