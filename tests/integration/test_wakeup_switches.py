"""The kernel's switches for waking beside ethtool's modes: which are read, enabled, and left alone (R14)."""

from __future__ import annotations

import asyncio
import errno
import logging
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from app.adapters.linux.nic import LinuxNic
from app.domain.errors import NicUnusable
from tests.rigs.fake_kernel import MAGIC, Card, Kernel
from tests.rigs.fake_sysfs import PCI_BRIDGE, USB_HOST, Sysfs

PORT = "pci0000:00/0000:00:1c.0"


@pytest.fixture
def sysfs(tmp_path: Path) -> Sysfs:
    return Sysfs(tmp_path / "sys")


@pytest.fixture
def kernel(mocker: MockerFixture, sysfs: Sysfs) -> Kernel:
    """Two cards that ethtool calls armed."""
    doubled = Kernel(sysfs=sysfs.root)
    doubled.install(mocker)
    doubled.add(Card("eth0", "54:b2:03:a0:11:22", on=MAGIC))
    doubled.add(Card("eth1", "54:b2:03:a0:11:33", on=MAGIC))
    return doubled


async def found_and_armed(bridge: str) -> bool:
    nic = LinuxNic(bridge)
    return await nic.armed(await nic.find())


async def armed_again(bridge: str) -> bool:
    nic = LinuxNic(bridge)
    card = await nic.find()
    await nic.arm(card)
    return await nic.armed(card)


def says(switch: Path) -> str:
    return switch.read_text().strip()


@pytest.mark.usefixtures("kernel")
def test_r14_a_card_whose_switch_is_disabled_is_not_armed_until_it_is_enabled(sysfs: Sysfs) -> None:
    switch = sysfs.device("pci0000:00/0000:00:1f.6", wakeup="disabled")
    sysfs.card("eth0", "pci0000:00/0000:00:1f.6")
    assert not asyncio.run(found_and_armed("eth0"))
    assert asyncio.run(armed_again("eth0"))
    assert says(switch) == "enabled"


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("wakeup", [None, "", "enabled"])
def test_where_there_is_no_switch_or_it_is_enabled_ethtool_alone_counts(sysfs: Sysfs, wakeup: str | None) -> None:
    switch = sysfs.device("pci0000:00/0000:00:1f.6", wakeup=wakeup)
    sysfs.card("eth0", "pci0000:00/0000:00:1f.6")
    assert asyncio.run(found_and_armed("eth0"))
    assert asyncio.run(armed_again("eth0"))
    assert not switch.exists() or says(switch) == wakeup


@pytest.mark.usefixtures("kernel")
def test_a_link_without_a_device_has_no_switch() -> None:
    assert asyncio.run(found_and_armed("eth0"))


@pytest.mark.usefixtures("kernel")
def test_the_bridge_above_is_reported_and_left_alone(sysfs: Sysfs, caplog: pytest.LogCaptureFixture) -> None:
    above = sysfs.device(PORT, wakeup="disabled", kind=PCI_BRIDGE)
    switch = sysfs.device(f"{PORT}/0000:02:00.0", wakeup="disabled")
    beside = sysfs.device(f"{PORT}/0000:02:00.1", wakeup="disabled")
    sysfs.card("eth0", f"{PORT}/0000:02:00.0")
    with caplog.at_level(logging.INFO, "powerd.nic"):
        assert asyncio.run(armed_again("eth0"))
    assert [says(each) for each in (above, switch, beside)] == ["disabled", "enabled", "disabled"]
    assert f"{above}, of a bridge above eth0, says disabled" in caplog.text


@pytest.mark.usefixtures("kernel")
def test_a_card_without_a_switch_of_its_own_does_not_take_the_bridges(sysfs: Sysfs) -> None:
    above = sysfs.device(PORT, wakeup="disabled", kind=PCI_BRIDGE)
    sysfs.device(f"{PORT}/0000:02:00.0")
    sysfs.card("eth0", f"{PORT}/0000:02:00.0")
    assert asyncio.run(armed_again("eth0"))
    assert says(above) == "disabled"


@pytest.mark.usefixtures("kernel")
def test_r14_a_virtual_card_has_the_switch_of_the_device_it_is_part_of(sysfs: Sysfs) -> None:
    switch = sysfs.device("pci0000:00/0000:00:03.0", wakeup="disabled")
    sysfs.device("pci0000:00/0000:00:03.0/virtio0", "virtio")
    sysfs.card("eth0", "pci0000:00/0000:00:03.0/virtio0")
    assert not asyncio.run(found_and_armed("eth0"))
    assert asyncio.run(armed_again("eth0"))
    assert says(switch) == "enabled"


@pytest.mark.usefixtures("kernel")
def test_r14_a_card_on_usb_needs_every_hub_and_the_host_controller(sysfs: Sysfs) -> None:
    port = sysfs.device(PORT, wakeup="disabled", kind=PCI_BRIDGE)
    host = sysfs.device(f"{PORT}/0000:00:14.0", wakeup="disabled", kind=USB_HOST)
    hub = sysfs.device(f"{PORT}/0000:00:14.0/usb1", "usb", wakeup="disabled")
    keyboard = sysfs.device(f"{PORT}/0000:00:14.0/usb1/1-3", "usb", wakeup="disabled")
    card = sysfs.device(f"{PORT}/0000:00:14.0/usb1/1-2", "usb", wakeup="disabled")
    sysfs.device(f"{PORT}/0000:00:14.0/usb1/1-2/1-2:1.0", "usb")
    sysfs.card("eth0", f"{PORT}/0000:00:14.0/usb1/1-2/1-2:1.0")
    assert asyncio.run(armed_again("eth0"))
    assert [says(each) for each in (card, hub, host)] == ["enabled"] * 3
    assert [says(each) for each in (keyboard, port)] == ["disabled"] * 2
    host.write_text("disabled\n")
    assert not asyncio.run(found_and_armed("eth0"))


def test_r14_the_switch_of_every_leg_counts(kernel: Kernel, sysfs: Sysfs) -> None:
    kernel.add(Card("bond0", "54:b2:03:a0:11:22", kind="bond", supported=0))
    switches = []
    for number, name in enumerate(("eth0", "eth1")):
        kernel.cards[name].master = "bond0"
        switches.append(sysfs.device(f"pci0000:00/0000:00:0{number}.0", wakeup=("enabled", "disabled")[number]))
        sysfs.card(name, f"pci0000:00/0000:00:0{number}.0")
    assert not asyncio.run(found_and_armed("bond0"))
    assert asyncio.run(armed_again("bond0"))
    assert [says(each) for each in switches] == ["enabled"] * 2


def refusal() -> str:
    with pytest.raises(NicUnusable) as caught:
        asyncio.run(armed_again("eth0"))
    return str(caught.value)


@pytest.mark.usefixtures("kernel")
def test_a_switch_that_can_not_be_written_is_named_with_the_remedy(sysfs: Sysfs, mocker: MockerFixture) -> None:
    switch = sysfs.device("pci0000:00/0000:00:1f.6", wakeup="disabled")
    sysfs.card("eth0", "pci0000:00/0000:00:1f.6")
    mocker.patch.object(Path, "write_text", side_effect=OSError(errno.EROFS, "Read-only file system"))
    said = refusal()
    assert f"{switch} says disabled and can't be written (Read-only file system)" in said
    assert "ReadWritePaths=" in said


@pytest.mark.usefixtures("kernel")
def test_a_switch_that_does_not_stay_enabled_is_named(sysfs: Sysfs, mocker: MockerFixture) -> None:
    sysfs.device("pci0000:00/0000:00:1f.6", wakeup="disabled")
    sysfs.card("eth0", "pci0000:00/0000:00:1f.6")
    mocker.patch.object(Path, "write_text")
    assert "says disabled again after powerd enabled it" in refusal()
