"""Wake modes beside magic packet: named, kept or switched off as the operator wants."""

from __future__ import annotations

import asyncio

import pytest
from pytest_mock import MockerFixture

from app.adapters.linux.nic import LinuxNic
from tests.rigs.fake_kernel import MAGIC, PHY, SECURE, Card, Kernel

UNICAST, BROADCAST, ARP = 1 << 1, 1 << 3, 1 << 4


@pytest.fixture
def card(mocker: MockerFixture) -> Card:
    kernel = Kernel()
    kernel.install(mocker)
    made = Card("eth0", "54:b2:03:a0:11:22", supported=0x7F, on=UNICAST | BROADCAST)
    kernel.add(made)
    return made


async def look_and_arm(nic: LinuxNic) -> tuple[bool, bool]:
    """Whether it was armed before, and after."""
    found = await nic.find()
    before = await nic.armed(found)
    await nic.arm(found)
    return before, await nic.armed(await nic.find())


def test_they_are_kept_and_named_once_with_the_remedy(card: Card, caplog: pytest.LogCaptureFixture) -> None:
    card.on |= MAGIC
    assert asyncio.run(look_and_arm(LinuxNic("eth0"))) == (True, True)
    assert card.on == UNICAST | BROADCAST | MAGIC
    [said] = [line for line in caplog.messages if "eth0 wakes this machine by" in line]
    what, remedy = said.split("; ")
    assert what.endswith("by any packet to it (u), broadcast (b) too")
    assert remedy == 'nic.wake_modes = "magic" switches them off'


@pytest.mark.usefixtures("card")
def test_they_are_reported_with_the_card() -> None:
    found = asyncio.run(LinuxNic("eth0").find())
    assert found.other_wake_modes == "any packet to it (u), broadcast (b)"


@pytest.mark.parametrize("on", [UNICAST | BROADCAST | MAGIC, PHY | ARP, MAGIC | SECURE])
def test_the_operator_may_want_magic_packet_alone(card: Card, on: int) -> None:
    card.on = on
    assert asyncio.run(look_and_arm(LinuxNic("eth0", magic_alone=True))) == (False, True)
    assert card.on == MAGIC


def test_a_driver_that_keeps_one_on_does_not_keep_the_node_awake(card: Card, caplog: pytest.LogCaptureFixture) -> None:
    card.on = card.stuck = PHY
    assert asyncio.run(look_and_arm(LinuxNic("eth0", magic_alone=True))) == (False, True)
    assert card.on == MAGIC | PHY
    assert "the link coming up (p) too; its driver does not switch them off" in caplog.text
