"""R13 end to end: the daemon as a process on the dev chain, its sleep aborted, and what the minting makes of it."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing

import pytest

from app.adapters.files.minting_record import FileMintingRecord
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.farm_history import SubstrateFarmHistory
from app.domain.minting.ledger import MonthLedger
from app.domain.minting.month import Month
from app.domain.minting.period import Period
from app.domain.model import FarmId, Power
from app.entrypoints.farm.minting.reading import PeriodReading, ReadingListener
from tests.rigs.node import Node, node_rig
from tests.rigs.node_settings import ME
from tests.rigs.status import status
from tests.slowness import patient

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

AFTER_DOWN = ["final", "uptime", "target", "power off"]


async def started(node: Node) -> None:
    mark = node.daemon.mark()
    await node.daemon.start()
    await node.daemon.says("UptimeReported", since=mark)


async def reboots(node: Node) -> None:
    """The machine goes down and comes back: another boot, and its daemon starts again."""
    await node.daemon.kill()
    # No machine boots in the second of its Down; the minting counts in whole seconds.
    await node.blocks_pass(8)
    node.boots()
    await started(node)


async def minted(node: Node) -> Month:
    """What the grid makes of the node, up to the newest final block."""
    client = SubstrateClient([node.chain.urls[-1]])
    try:
        history = SubstrateFarmHistory(client)
        newest = await history.newest()
        period = Period.holding(newest.time_s)
        ledger = MonthLedger(period)
        with closing(FileMintingRecord(node.directory / "minted.jsonl")) as record:
            hearing = ReadingListener(lambda _: None, lambda *_: None)
            farm = FarmId(node.chain.about["farm_id"])
            await PeriodReading(history, record, farm, period, hearing).read(ledger, newest, 64)
        return ledger.month(ME)
    finally:
        await client.close()


@pytest.mark.parametrize("step", AFTER_DOWN)
async def test_r13_called_up_at_a_step_after_down_the_machine_boots_and_the_month_is_whole(step: str) -> None:
    async with node_rig() as node:
        await started(node)
        await node.target(Power.DOWN)
        await node.daemon.says("ShutdownStep", step=step)
        await node.target(Power.UP)
        await node.daemon.says("RebootOrdered")
        assert node.orders[-1] == "reboot"
        await node.until_state(Power.UP)
        await reboots(node)
        async with asyncio.timeout(patient(60)):
            while (month := await minted(node)).window_s is not None:
                await node.blocks_pass(1)  # until the boot's report is final
        assert (month.window_s, month.request_s, month.slow_boots, month.violation) == (None, None, 0, None)
        assert json.loads(await status(node, "--json"))["uncredited"] is None
        assert not node.daemon.count("RebootOrdered", forced=True)


@pytest.mark.parametrize("wanted", list(Power))
async def test_r13_a_kill_between_down_and_the_power_off_is_remembered(wanted: Power) -> None:
    async with node_rig() as node:
        await started(node)
        await node.target(Power.DOWN)
        await node.daemon.says("ShutdownStep", step="uptime")
        await node.daemon.kill()
        (node.directory / "holds").mkdir()
        hold = node.directory / "holds" / "operator.json"
        hold.write_text(json.dumps({"holder": "operator", "reason": "a new disk"}))
        if wanted is Power.UP:
            await node.target(Power.UP)
        mark = node.daemon.mark()
        await started(node)
        words = "a guard forbids it: held by operator" if wanted is Power.UP else "shut down and woken by"
        await node.daemon.says("FaultRaised", since=mark, key="uncredited", message=words)
        await node.until_state(Power.UP)
        assert "not paid     uptime has not been credited since" in await status(node)
        assert json.loads(await status(node, "--json"))["uncredited"]["since_s"] > 0
        assert node.orders == []
        hold.unlink()
        ordered = "RebootOrdered" if wanted is Power.UP else "PowerOffOrdered"
        await node.daemon.says(ordered, since=mark)


async def test_r13_called_up_before_down_landed_it_says_up_and_does_not_reboot() -> None:
    async with node_rig(block_time_s=2) as node:
        await started(node)
        await node.target(Power.DOWN)
        await node.daemon.says("ShutdownStep", step="arm")
        await node.set_target(Power.UP)
        await node.blocks_pass(6)
        await node.until_state(Power.UP)
        month = await minted(node)
        assert (month.window_s is not None) is bool(node.daemon.count("RebootOrdered"))
