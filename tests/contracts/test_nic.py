"""What every `NicPort` does: the simulated card, and the Linux adapter on a doubled kernel."""

from __future__ import annotations

import dataclasses
import errno
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from app.adapters.linux.nic import LinuxNic
from app.adapters.simulated.nic import SimulatedNic
from app.domain.errors import NicUnusable
from app.domain.model import Mac, Nic
from app.ports.nic import NicPort
from tests.rigs.fake_kernel import MAGIC, PHY, Card, Kernel

pytestmark = pytest.mark.anyio

MAC = Mac("54:b2:03:a0:11:22")
CARD = Nic("eth0", MAC)


@dataclass(frozen=True)
class Rig:
    """A port; how to bring about what disappoints; and whether the mode ``p`` is on."""

    nic: NicPort
    disappoint: Callable[[str], None]
    phy_mode_is_on: Callable[[], bool]


def simulated() -> Rig:
    nic = SimulatedNic(MAC)
    nic.wake_modes.add("p")

    def disappoint(how: str) -> None:
        if how == "armed_by_others":
            nic.wake_modes.add("g")
        else:
            assert hasattr(nic, how)
            setattr(nic, how, True)

    return Rig(nic, disappoint, lambda: "p" in nic.wake_modes)


def linux(mocker: MockerFixture, tmp_path: Path) -> Rig:
    kernel = Kernel()
    kernel.add(Card("zos", "54:b2:03:a0:11:22", kind="bridge", supported=0))
    kernel.add(Card("tap7", "02:00:00:00:00:07", master="zos", kind="tun", supported=0))
    card = Card("eth0", "54:b2:03:a0:11:22", master="zos", on=PHY)
    kernel.add(card)
    kernel.install(mocker)

    def disappoint(how: str) -> None:
        match how:
            case "missing":
                del kernel.cards["eth0"]
            case "several":
                kernel.add(Card("eth1", "54:b2:03:a0:11:33", master="zos"))
            case "unsupported":
                card.supported = card.on = 0
            case "cannot_arm":
                card.set_error = errno.EIO
            case "forgets_arming":
                card.forgets = True
            case "armed_by_others":
                card.on |= MAGIC

    return Rig(LinuxNic("zos", armed_file=tmp_path / "armed-cards"), disappoint, lambda: bool(card.on & PHY))


@pytest.fixture(params=["simulated", "linux"])
def rig(request: pytest.FixtureRequest, mocker: MockerFixture, tmp_path: Path) -> Rig:
    return simulated() if request.param == "simulated" else linux(mocker, tmp_path)


async def test_it_is_a_nic_port_that_finds_the_card(rig: Rig) -> None:
    assert isinstance(rig.nic, NicPort)
    found = await rig.nic.find()
    assert dataclasses.replace(found, other_wake_modes="") == CARD


async def test_it_reports_what_else_wakes_the_machine(rig: Rig) -> None:
    assert "p" in (await rig.nic.find()).other_wake_modes


async def test_a_power_off_is_prepared_and_taken_back_without_a_word(rig: Rig) -> None:
    await rig.nic.leaving(CARD)
    await rig.nic.staying()
    rig.disappoint("missing")
    await rig.nic.leaving(CARD)
    await rig.nic.staying()


async def test_arming_shows_when_read_back_and_leaves_other_modes_on(rig: Rig) -> None:
    assert not await rig.nic.armed(CARD)
    await rig.nic.arm(CARD)
    assert await rig.nic.armed(CARD)
    assert rig.phy_mode_is_on()


async def test_arming_twice_is_harmless(rig: Rig) -> None:
    await rig.nic.arm(CARD)
    await rig.nic.arm(CARD)
    assert await rig.nic.armed(CARD)


async def test_a_card_armed_by_others_is_armed(rig: Rig) -> None:
    rig.disappoint("armed_by_others")
    assert await rig.nic.armed(CARD)


@pytest.mark.parametrize("how", ["missing", "several", "unsupported"])
async def test_no_usable_card_is_found(rig: Rig, how: str) -> None:
    rig.disappoint(how)
    with pytest.raises(NicUnusable):
        await rig.nic.find()


@pytest.mark.parametrize("how", ["cannot_arm", "unsupported", "missing"])
async def test_a_card_that_cannot_be_armed_says_so(rig: Rig, how: str) -> None:
    rig.disappoint(how)
    with pytest.raises(NicUnusable):
        await rig.nic.arm(CARD)


async def test_a_driver_that_forgets_is_found_out_by_reading_back(rig: Rig) -> None:
    rig.disappoint("forgets_arming")
    await rig.nic.arm(CARD)
    assert not await rig.nic.armed(CARD)


async def test_a_card_that_went_away_is_not_armed_but_unusable(rig: Rig) -> None:
    rig.disappoint("missing")
    with pytest.raises(NicUnusable):
        await rig.nic.armed(CARD)
