"""What powerd must never do: a bug that is about to do it ends the daemon, and the act does not happen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from app.adapters.simulated.host_power import Obedience
from app.domain.commands import ShutDown
from app.domain.events import PowerOffOrdered, PowerStateSet, UptimeReported
from app.domain.model import Head, HeadKind, Hold, NodePower, Power, PowerState, UptimeSample
from app.domain.rules.invariants import (
    LOOK_S_MAX,
    InvariantBroken,
    Look,
    check_down,
    check_power_off,
    check_reboot,
    check_sample,
    check_up,
)
from app.domain.rules.power import Observation, OwnPower
from app.domain.services.context.alongside import alongside
from app.domain.services.own_power import shutdown
from app.domain.services.own_power.host_orders import HostOrders
from tests.rigs.virtual_farm import VirtualFarm, VirtualNode

pytestmark = pytest.mark.anyio

UP = NodePower(PowerState(Power.UP), Power.UP)
DOWN = NodePower(PowerState(Power.DOWN, 7), Power.DOWN)


def seen(power: NodePower = DOWN, final: NodePower = DOWN, **more: Any) -> Observation:
    best, finalized = (Head(kind, 9, "0x9", 100.0) for kind in (HeadKind.BEST, HeadKind.FINALIZED))
    return Observation(OwnPower(best, power), OwnPower(finalized, final), 100.0, **more)


HELD: Mapping[str, Any] = {"holds": (Hold("an operator", "a repair", None),)}
SPOILED: dict[str, Observation] = {
    "the target is not Down": seen(UP),
    "not final": seen(final=UP),
    "under a hold": seen(**HELD),
    "a hold": seen(holds_unreadable="torn"),
    "not enabled": seen(not_enabled="no card"),
}


@pytest.mark.parametrize("why", SPOILED)
def test_no_power_off_after_a_look_that_forbids_it(why: str) -> None:
    with pytest.raises(InvariantBroken, match=why):
        check_power_off(Look(SPOILED[why], 50.0), 50.0, armed=True, down_is_final=True)


def test_no_power_off_without_a_look_or_on_an_old_one_unarmed_or_before_down_is_final() -> None:
    look = Look(seen(), 50.0)
    check_power_off(look, 50.0 + LOOK_S_MAX, armed=True, down_is_final=True)
    check_power_off(Look(replace(look.seen, finalized=None), 50.0), 50.0, armed=True, down_is_final=True)
    with pytest.raises(InvariantBroken, match="without a look"):
        check_power_off(None, 50.0, armed=True, down_is_final=True)
    with pytest.raises(InvariantBroken, match="on what was read 61 s ago"):
        check_power_off(look, 111.0, armed=True, down_is_final=True)
    with pytest.raises(InvariantBroken, match="not armed"):
        check_power_off(look, 50.0, armed=False, down_is_final=True)
    with pytest.raises(InvariantBroken, match="before its state Down is final"):
        check_power_off(look, 50.0, armed=True, down_is_final=False)


def test_no_reboot_against_the_target_or_under_a_hold() -> None:
    check_reboot(Look(seen(UP), 50.0), 50.0)
    with pytest.raises(InvariantBroken, match="reboot while the target is not Up"):
        check_reboot(Look(seen(DOWN), 50.0), 50.0)
    with pytest.raises(InvariantBroken, match="reboot under a hold"):
        check_reboot(Look(seen(UP, **HELD), 50.0), 50.0)


def test_no_down_against_the_target_or_where_power_management_is_off() -> None:
    check_down(seen(), enabled=True)
    with pytest.raises(InvariantBroken, match="not enabled"):
        check_down(seen(), enabled=False)
    with pytest.raises(InvariantBroken, match="target is not Down"):
        check_down(seen(UP), enabled=True)


def test_no_state_up_while_the_host_powers_off() -> None:
    check_up(ordered=False)
    with pytest.raises(InvariantBroken, match="say Up while the host powers off"):
        check_up(ordered=True)


def test_no_uptime_that_falls_within_one_boot() -> None:
    check_sample(UptimeSample(60, 1000), UptimeSample(60, 900))
    with pytest.raises(InvariantBroken, match="uptime that fell"):
        check_sample(UptimeSample(60, 1000), UptimeSample(59, 1001))


async def nothing(*_: object, **__: object) -> None:
    """A bug: something is left out."""


BUGS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "the target is not Down": lambda patch: patch.setattr(shutdown, "decide", lambda *_: ShutDown()),
    "not armed": lambda patch: patch.setattr(shutdown.Shutdown, "_arm", nothing),
}


@pytest.mark.parametrize("why", BUGS)
async def test_a_bug_on_the_way_to_the_power_off_ends_the_daemon_and_the_machine_stays_on(
    farm: VirtualFarm, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    machines: list[VirtualNode] = []

    async def life() -> None:
        async with farm.running(1, before=machines.append) as node:
            await farm.until(lambda: bool(node.recorded(UptimeReported)), within_s=900)
            BUGS[why](monkeypatch)
            await farm.set_target(1, Power.DOWN)
            if why == "the target is not Down":
                await farm.until(lambda: any(s.power is Power.DOWN for s in node.recorded(PowerStateSet)), within_s=900)
                await farm.set_target(1, Power.UP)
            await farm.clock.sleep(900)

    with pytest.raises(BaseExceptionGroup) as failed:
        await life()
    assert failed.group_contains(InvariantBroken, match=why)
    assert not machines[0].recorded(PowerOffOrdered)
    assert not machines[0].dark


async def test_each_order_needs_an_arming_of_its_own(farm: VirtualFarm, monkeypatch: pytest.MonkeyPatch) -> None:
    machines: list[VirtualNode] = []

    async def life() -> None:
        async with farm.running(1, before=machines.append) as node:
            node.host_power.mode = Obedience.IGNORES
            await farm.set_target(1, Power.DOWN)
            await farm.until(lambda: bool(node.recorded(PowerOffOrdered)), within_s=900)
            monkeypatch.setattr(shutdown.Shutdown, "_arm", nothing)
            await farm.clock.sleep(900)

    with pytest.raises(BaseExceptionGroup) as failed:
        await life()
    assert failed.group_contains(InvariantBroken, match="not armed")
    assert len(machines[0].recorded(PowerOffOrdered)) == 1


async def test_an_abort_that_forgets_the_order_says_no_up(farm: VirtualFarm, monkeypatch: pytest.MonkeyPatch) -> None:
    machines: list[VirtualNode] = []

    async def forgets(orders: HostOrders, *_: object) -> None:
        orders.ordered = True

    async def life() -> None:
        async with farm.running(1, before=machines.append):
            monkeypatch.setattr(HostOrders, "give", forgets)
            await farm.set_target(1, Power.DOWN)
            await farm.clock.sleep(900)

    with pytest.raises(BaseExceptionGroup) as failed:
        await life()
    assert failed.group_contains(InvariantBroken, match="say Up while the host powers off")
    assert machines[0].recorded(PowerStateSet)[-1].power is Power.DOWN


class TestAlongside:
    async def test_the_result_comes_once_both_have_ended(self) -> None:
        order: list[str] = []

        async def beside() -> None:
            await asyncio.sleep(5)
            order.append("beside")

        async def main() -> int:
            await asyncio.sleep(1)
            order.append("main")
            return 7

        assert await alongside(beside(), main(), "a test") == 7
        assert order == ["main", "beside"]

    async def test_an_error_waits_for_what_goes_on_beside(self) -> None:
        order: list[str] = []

        async def beside() -> None:
            await asyncio.sleep(5)
            order.append("beside")

        async def main() -> None:
            raise LookupError

        with pytest.raises(LookupError):
            await alongside(beside(), main(), "a test")
        assert order == ["beside"]

    async def test_a_cancellation_ends_both_at_once(self) -> None:
        async def for_ever() -> None:
            await asyncio.Event().wait()

        task = asyncio.create_task(alongside(for_ever(), for_ever(), "a test"))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)
        assert [each.get_name() for each in asyncio.all_tasks() if each.get_name() == "a test"] == []
