"""`LinuxNic`: what it takes for the card, what it says when there is none, and on the real kernel."""

from __future__ import annotations

import asyncio
import errno

import pytest
from pytest_mock import MockerFixture

from app.adapters.linux.nic import LinuxNic
from app.domain.errors import NicUnusable
from app.domain.model import Mac, Nic
from tests.rigs.fake_kernel import MAGIC, PHY, SECURE, Card, Kernel
from tests.rigs.isolation import in_network_namespace, without_capabilities


@pytest.fixture
def kernel(mocker: MockerFixture) -> Kernel:
    doubled = Kernel()
    doubled.install(mocker)
    doubled.add(Card("zos", "02:00:00:00:00:01", kind="bridge", supported=0))
    doubled.add(Card("eth0", "54:b2:03:a0:11:22", master="zos"))
    return doubled


def find(bridge: str) -> Nic:
    return asyncio.run(LinuxNic(bridge).find())


def complaint(bridge: str) -> str:
    with pytest.raises(NicUnusable) as caught:
        find(bridge)
    return str(caught.value)


def test_the_address_in_use_and_the_permanent_one_are_read(kernel: Kernel) -> None:
    kernel.cards["eth0"].permanent = "54:b2:03:a0:11:99"
    assert find("zos") == Nic("eth0", Mac("54:b2:03:a0:11:22"), Mac("54:b2:03:a0:11:99"))


def test_without_a_permanent_address_the_one_in_use_stands_for_both(kernel: Kernel) -> None:
    kernel.cards["eth0"].permanent = "00:00:00:00:00:00"
    assert find("zos") == Nic("eth0", Mac("54:b2:03:a0:11:22"), None)


def test_a_card_whose_address_in_use_is_no_address_has_the_one_burnt_in(kernel: Kernel) -> None:
    kernel.cards["eth0"].address = "00:00:00:00:00:00"
    kernel.cards["eth0"].permanent = "54:b2:03:a0:11:99"
    assert find("zos").addresses == (Mac("54:b2:03:a0:11:99"),)


def test_a_card_without_any_address_is_unusable(kernel: Kernel) -> None:
    kernel.cards["eth0"].address = "00:00:00:00:00:00"
    assert "eth0 has no usable MAC address" in complaint("zos")


def test_a_machine_without_a_bridge_names_its_card(kernel: Kernel) -> None:
    kernel.add(Card("enp3s0", "54:b2:03:a0:11:44"))
    assert find("enp3s0") == Nic("enp3s0", Mac("54:b2:03:a0:11:44"))


def test_software_members_do_not_count(kernel: Kernel) -> None:
    for number, kind in enumerate(("tun", "veth", "macvlan", "vlan", "dummy")):
        kernel.add(Card(f"soft{number}", f"02:00:00:00:01:0{number}", master="zos", kind=kind))
    assert find("zos").name == "eth0"


def test_two_physical_members_are_both_named(kernel: Kernel) -> None:
    kernel.add(Card("eth1", "54:b2:03:a0:11:33", master="zos"))
    said = complaint("zos")
    assert "zos has 2 physical network cards" in said
    assert "eth0 (physical), eth1 (physical)" in said


def test_no_physical_member_names_the_others(kernel: Kernel) -> None:
    kernel.cards["eth0"].kind = "veth"
    assert "zos has 0 physical network cards (its members: eth0 (veth))" in complaint("zos")


def test_a_missing_bridge_is_named_with_the_remedy(kernel: Kernel) -> None:
    said = complaint("br9")
    assert "no network interface br9" in said
    assert "settings" in said


def test_magic_packet_may_be_the_one_mode_a_card_lacks(kernel: Kernel) -> None:
    kernel.cards["eth0"].supported = PHY
    assert "eth0 does not support waking by magic packet" in complaint("zos")


def test_arming_keeps_other_modes_and_the_secure_on_password(kernel: Kernel) -> None:
    card = kernel.cards["eth0"]
    card.supported, card.on, card.password = PHY | MAGIC | SECURE, PHY | SECURE, b"secret"
    asyncio.run(LinuxNic("zos").arm(Nic("eth0", Mac(card.address))))
    assert card.on == PHY | SECURE | MAGIC
    assert card.password == b"secret"


def test_a_driver_that_offers_magic_packets_and_refuses_them_is_quoted(kernel: Kernel) -> None:
    kernel.cards["eth0"].set_error = errno.EOPNOTSUPP
    with pytest.raises(NicUnusable, match=r"eth0 says .* refuses to switch it on .EOPNOTSUPP.*firmware"):
        asyncio.run(LinuxNic("zos").arm(find("zos")))


def test_a_card_that_lacks_only_magic_packet_is_not_asked_for_it(kernel: Kernel) -> None:
    card = kernel.cards["eth0"]
    card.supported, card.set_error = PHY, errno.EOPNOTSUPP
    with pytest.raises(NicUnusable, match="eth0 does not support waking by magic packet"):
        asyncio.run(LinuxNic("zos").arm(Nic("eth0", Mac(card.address))))


def test_a_missing_right_is_named_with_the_remedy(kernel: Kernel) -> None:
    kernel.cards["eth0"].error = errno.EPERM
    said = complaint("zos")
    assert "CAP_NET_ADMIN" in said
    assert "eth0" in said


def test_real_kernel_a_bridge_of_software_links_has_no_card() -> None:
    def body() -> str:
        from pyroute2 import IPRoute

        with IPRoute() as netlink:
            netlink.link("add", ifname="zos", kind="bridge")
            netlink.link("add", ifname="inside", kind="veth", peer="outside")
            [bridge], [inside] = netlink.link_lookup(ifname="zos"), netlink.link_lookup(ifname="inside")
            netlink.link("set", index=inside, master=bridge)
        return complaint("zos")

    assert "zos has 0 physical network cards (its members: inside (veth))" in in_network_namespace(body)


def test_real_kernel_the_loopback_device_is_no_card() -> None:
    assert "lo has 0 physical network cards" in complaint("lo")


def test_real_kernel_a_link_without_wake_on_lan_is_neither_armed_nor_armable() -> None:
    def body() -> None:
        from pyroute2 import IPRoute

        with IPRoute() as netlink:
            netlink.link("add", ifname="inside", kind="veth", peer="outside")
        asyncio.run(arm_in_vain(Nic("inside", Mac("02:00:00:00:00:01"))))

    async def arm_in_vain(card: Nic) -> None:
        nic = LinuxNic("zos")
        assert not await nic.armed(card)
        with pytest.raises(NicUnusable, match="inside does not support Wake-on-LAN"):
            await nic.arm(card)
        with pytest.raises(NicUnusable, match="there is no network card gone"):
            await nic.armed(Nic("gone", card.mac))

    in_network_namespace(body)


def test_real_kernel_without_rights_the_capability_is_named() -> None:
    def body() -> None:
        with pytest.raises(NicUnusable, match="CAP_NET_ADMIN"):
            asyncio.run(LinuxNic("zos").arm(Nic("lo", Mac("02:00:00:00:00:01"))))

    without_capabilities(body)
