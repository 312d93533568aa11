"""`LinuxNic` on bonds, teams and VLANs: the way down to the cards, and which of them wake the machine (R14)."""

from __future__ import annotations

import asyncio

import pytest
from pytest_mock import MockerFixture

from app.adapters.linux.nic import LinuxNic
from app.domain.errors import NicUnusable
from app.domain.model import Mac, Nic
from tests.rigs.fake_kernel import MAGIC, Card, Kernel
from tests.rigs.isolation import in_network_namespace

FIRST, SECOND = "54:b2:03:a0:11:01", "54:b2:03:a0:11:02"


@pytest.fixture
def kernel(mocker: MockerFixture) -> Kernel:
    """A bridge ``zos`` on ``bond0`` on two cards; the bond uses the address of the first."""
    doubled = Kernel()
    doubled.install(mocker)
    doubled.add(Card("zos", FIRST, kind="bridge", supported=0))
    doubled.add(Card("tap7", "02:00:00:00:00:07", master="zos", kind="tun", supported=0))
    doubled.add(Card("bond0", FIRST, master="zos", kind="bond", supported=0))
    doubled.add(Card("eth0", FIRST, master="bond0", permanent=FIRST))
    doubled.add(Card("eth1", FIRST, master="bond0", permanent=SECOND))
    return doubled


def find(bridge: str) -> Nic:
    return asyncio.run(LinuxNic(bridge).find())


def complaint(bridge: str) -> str:
    with pytest.raises(NicUnusable) as caught:
        find(bridge)
    return str(caught.value)


BOND = Nic("bond0", Mac(FIRST), Mac(FIRST), ("eth0", "eth1"), (Mac(SECOND),))


@pytest.mark.parametrize("kind", ["bond", "team"])
def test_r14_a_bridge_on_a_bond_is_woken_by_the_cards_beneath(kernel: Kernel, kind: str) -> None:
    kernel.cards["bond0"].kind = kind
    assert find("zos") == BOND
    assert find("bond0") == BOND
    assert find("zos").addresses == (Mac(FIRST), Mac(SECOND))


@pytest.mark.parametrize("kind", ["vlan", "macvlan", "macvtap", "ipvlan"])
def test_r14_what_is_made_on_one_link_leads_down_to_it(kernel: Kernel, kind: str) -> None:
    kernel.cards["bond0"].master = ""
    kernel.add(Card("bond0.10", FIRST, kind=kind, master="zos", made_on="bond0", supported=0))
    assert find("zos") == BOND
    assert find("bond0.10") == BOND


def test_r14_two_vlans_of_one_card_are_one_way_out(kernel: Kernel) -> None:
    kernel.cards["bond0"].master = kernel.cards["eth0"].master = ""
    for tag in ("eth0.10", "eth0.20"):
        kernel.add(Card(tag, FIRST, kind="vlan", master="zos", made_on="eth0", supported=0))
    assert find("zos") == Nic("eth0", Mac(FIRST), Mac(FIRST))


def test_r14_every_leg_is_armed_and_each_that_is_not_counts(kernel: Kernel) -> None:
    nic = LinuxNic("zos")

    async def body() -> None:
        assert not await nic.armed(BOND)
        await nic.arm(BOND)
        assert await nic.armed(BOND)
        kernel.cards["eth1"].on = 0
        assert not await nic.armed(BOND)

    asyncio.run(body())
    assert kernel.cards["eth0"].on & MAGIC


def test_r14_a_leg_that_can_not_be_woken_is_reported_and_the_others_stay_armed(
    kernel: Kernel, caplog: pytest.LogCaptureFixture
) -> None:
    kernel.cards["eth1"].supported = 0
    assert find("zos") == Nic("bond0", Mac(FIRST), Mac(FIRST), ("eth0",))
    assert "eth1 of bond0 can't be woken by magic packet: only what reaches eth0 wakes this machine" in caplog.text


def test_r14_when_the_leg_of_the_bonds_address_can_not_be_woken_the_other_ones_counts(kernel: Kernel) -> None:
    kernel.cards["eth0"].supported = 0
    assert find("zos") == Nic("bond0", Mac(SECOND), Mac(SECOND), ("eth1",))


def test_r14_the_leg_whose_address_the_bond_uses_comes_first(kernel: Kernel) -> None:
    kernel.cards["eth0"].permanent, kernel.cards["eth1"].permanent = SECOND, FIRST
    assert find("zos") == Nic("bond0", Mac(FIRST), Mac(FIRST), ("eth0", "eth1"), (Mac(SECOND),))


def test_a_bond_of_which_no_leg_can_be_woken_names_them(kernel: Kernel) -> None:
    kernel.cards["eth0"].supported = kernel.cards["eth1"].supported = 0
    assert "eth0, eth1 does not support waking by magic packet" in complaint("zos")


def test_a_bond_without_any_address_is_unusable(kernel: Kernel) -> None:
    for name in ("bond0", "eth0", "eth1"):
        kernel.cards[name].address, kernel.cards[name].permanent = "00:00:00:00:00:00", ""
    assert "eth0 has no usable MAC address" in complaint("zos")


def test_a_card_beside_the_bond_is_one_too_many(kernel: Kernel) -> None:
    kernel.add(Card("eth2", "54:b2:03:a0:11:03", master="zos"))
    said = complaint("zos")
    assert "zos has 2 physical network cards" in said
    assert "bond0 (bond over eth0, eth1), eth2 (physical)" in said
    assert "the card or the bond" in said


def test_a_bond_without_a_card_is_named(kernel: Kernel) -> None:
    del kernel.cards["eth0"], kernel.cards["eth1"]
    assert "zos has 0 physical network cards (its members: bond0 (bond), tap7 (tun))" in complaint("zos")


def test_what_was_made_on_a_card_of_another_namespace_leads_nowhere(kernel: Kernel) -> None:
    kernel.cards["bond0"].master = ""
    kernel.add(Card("mv0", FIRST, kind="macvlan", master="zos", made_on="eth0", elsewhere=True, supported=0))
    assert "zos has 0 physical network cards (its members: mv0 (macvlan), tap7 (tun))" in complaint("zos")


def test_links_that_stand_on_each_other_end(kernel: Kernel) -> None:
    kernel.cards["bond0"].master, kernel.cards["zos"].master = "zos", "bond0"
    assert find("zos") == BOND


def test_real_kernel_what_is_made_on_a_software_link_has_no_card() -> None:
    def body() -> str:
        from pyroute2 import IPRoute

        with IPRoute() as netlink:
            netlink.link("add", ifname="zos", kind="bridge")
            netlink.link("add", ifname="inside", kind="veth", peer="outside")
            [bridge], [inside] = netlink.link_lookup(ifname="zos"), netlink.link_lookup(ifname="inside")
            netlink.link("set", index=inside, master=bridge)
        # Its peer is no link that it was made on, though the kernel calls it so.
        return complaint("inside") + complaint("zos")

    said = in_network_namespace(body)
    assert "inside has 0 physical network cards (its members: none)" in said
    assert "zos has 0 physical network cards (its members: inside (veth))" in said
