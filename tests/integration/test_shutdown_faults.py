"""The daemon as a process, while the host, its card, the farmer or a reboot get in the way of a shutdown."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.adapters.simulated.farm_setup import mac_of
from app.domain.model import HeadKind, Power
from app.domain.rules.shutdown import Step
from tests.rigs.fake_kernel import MAGIC, Card
from tests.rigs.node import Node, node_rig
from tests.rigs.node_settings import Settings
from tests.rigs.powerd_with_cards import write_cards
from tests.slowness import patient

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

STEPS = [step.value for step in Step]
BEFORE_THE_POINT_OF_NO_RETURN = ("arm", "say down", "final")


# -- the power-off command -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo no such unit >&2; exit 1", "no such unit"),
        ("sleep 60", "did not end within"),
        ("", "still alive"),
    ],
    ids=["fails", "hangs", "does nothing"],
)
async def test_a_power_off_command_that(script: str, why: str) -> None:
    settings = {"shutdown": {"retry_later_s": 600}}
    async with node_rig(settings=settings) as node:
        node.when_ordered_off(script)
        await node.started()
        await node.target(Power.DOWN)
        fault = await node.daemon.says("FaultRaised", key="power-off")
        assert why in fault["facts"]["message"]
        assert node.orders == ["orderly", "orderly", "forced"]
        await node.daemon.says("PowerStateSet", power="Up")
        await node.daemon.says("StayingUp", reason="did not power off a short while ago")
        await node.target(Power.UP)
        await node.daemon.says("FaultCleared", key="power-off")


async def test_a_power_off_that_failed_is_tried_again_later() -> None:
    async with node_rig(settings={"power_management": {"reconcile_interval_s": 1}}) as node:
        node.when_ordered_off("exit 1")
        await node.started()
        await node.target(Power.DOWN)
        await node.daemon.says("FaultRaised", key="power-off")
        node.when_ordered_off("")
        await node.daemon.says("PowerOffOrdered")


# -- the target turns Up in between --------------------------------------------------------------


@pytest.mark.parametrize("step", STEPS)
async def test_a_target_that_turns_up_at(step: str) -> None:
    async with node_rig() as node:
        await node.started()
        await node.target(Power.DOWN)
        await node.daemon.says("ShutdownStep", step=step)
        await node.target(Power.UP)
        await node.daemon.says("ShutdownAborted")
        await node.until_state(Power.UP)
        # What is read last, right before the order, may still be Down; a second order would not be given.
        assert node.orders == [] if step in BEFORE_THE_POINT_OF_NO_RETURN else node.orders in ([], ["orderly"])


# -- killed, and started again -------------------------------------------------------------------


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("wanted", list(Power))
async def test_killed_in_the_middle_and_started_again(step: str, wanted: Power) -> None:
    async with node_rig() as node:
        await node.started()
        await node.target(Power.DOWN)
        await node.daemon.says("ShutdownStep", step=step)
        await node.daemon.kill()
        if wanted is Power.UP:
            await node.target(Power.UP)
        mark, orders = node.daemon.mark(), len(node.orders)
        await node.daemon.start()
        await node.daemon.says("UptimeReported", since=mark)
        if wanted is Power.UP:
            await node.until_state(Power.UP)
            assert len(node.orders) == orders
            return
        await node.daemon.says("PowerOffOrdered", since=mark)
        assert await node.state(kind=HeadKind.FINALIZED) is Power.DOWN
        assert node.daemon.count("UptimeReported") >= 2


async def test_rebooted_by_hand_while_its_target_is_down() -> None:
    async with node_rig() as node:
        await node.started()
        await node.target(Power.DOWN)
        await node.sleeps()
        before, mark = node.extrinsics(), node.daemon.mark()
        await node.daemon.start()
        await node.daemon.says("UptimeReported", since=mark)
        await node.daemon.says("PowerOffOrdered", since=mark)
        # The boot id here is this machine's, and stays the same: so the last Down still is one of this boot.
        assert node.extrinsics() == before + 3, "three reports of uptime, and no state that the chain has already"


async def test_woken_by_its_peers_it_says_up() -> None:
    async with node_rig() as node:
        await node.started()
        await node.target(Power.DOWN)
        await node.sleeps()
        await node.target(Power.UP)
        await node.daemon.start()
        await node.until_state(Power.UP)


# -- the card ------------------------------------------------------------------------------------

BRIDGE = Card("zos", "02:00:00:00:00:01", kind="bridge", supported=0)


def card(**how: object) -> Card:
    """The machine's one physical card, a member of the bridge."""
    return Card("eth0", str(mac_of(1, 1)), master="zos", **how)  # type: ignore[arg-type]  # the fields of Card, by name


@asynccontextmanager
async def machine_with(*cards: Card) -> AsyncIterator[Node]:
    """A node whose daemon sees these cards."""
    settings: Settings = {"nic": {"kind": "linux"}, "power_management": {"reconcile_interval_s": 0.5}}
    async with node_rig(settings=settings) as node:
        write_cards(node.directory / "cards.json", *cards)
        program = [sys.executable, "-m", "tests.rigs.powerd_with_cards", str(node.directory / "cards.json")]
        node.daemon.command = [*program, *node.daemon.command[1:]]
        yield node


def cards_are(node: Node, *cards: Card) -> None:
    """From now on."""
    write_cards(node.directory / "cards.json", *cards)


@pytest.mark.parametrize(
    ("first", "complaint"),
    [
        ([], "no network interface zos"),
        ([BRIDGE], "0 physical network cards"),
        ([BRIDGE, card(supported=0)], "does not support"),
        ([BRIDGE, card(forgets=True)], "did not take Wake-on-LAN"),
    ],
    ids=["bridge missing", "card missing", "card can not be woken", "card can not be armed"],
)
async def test_a_node_that_can_not_be_woken_does_not_sleep_until_it_can(first: list[Card], complaint: str) -> None:
    async with machine_with(*first) as node:
        await node.started()
        fault = await node.daemon.says("FaultRaised", key="power-management")
        assert complaint in fault["facts"]["message"]
        await node.target(Power.DOWN)
        await node.daemon.says("StayingUp", reason="power management is not enabled")
        assert node.orders == []
        assert await node.state() is Power.UP
        cards_are(node, BRIDGE, card(supported=MAGIC))
        await node.daemon.says("FaultCleared", key="power-management")
        await node.daemon.says("PowerOffOrdered")


async def test_wake_on_lan_switched_off_behind_our_back_is_switched_on_again() -> None:
    async with machine_with(BRIDGE, card()) as node:
        await node.started()
        await until_armed(node)
        cards_are(node, BRIDGE, card())
        await until_armed(node)


async def test_wake_on_lan_lost_in_the_middle_of_a_shutdown_ends_it() -> None:
    async with machine_with(BRIDGE, card()) as node:
        await node.started()
        await node.target(Power.DOWN)
        await node.daemon.says("ShutdownStep", step="final")
        cards_are(node, BRIDGE, card(supported=0))
        await node.daemon.says("ShutdownAborted", reason="does not support")
        assert node.orders == []
        await node.daemon.says("PowerStateSet", power="Up")


async def until_armed(node: Node) -> None:
    """Until the next look at the chain after the card was armed."""
    cards = node.directory / "cards.json"
    async with asyncio.timeout(patient(60)):
        while f'"on": {MAGIC}' not in cards.read_text():
            await node.daemon.says("Reconciled", since=node.daemon.mark(), trigger="itself")
