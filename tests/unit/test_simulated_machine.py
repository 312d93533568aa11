"""The fakes' own switches: what unit tests and simulations rely on beyond the ports' contracts."""

from __future__ import annotations

import pytest

from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.host_power import GivenOrder, Obedience, Order, SimulatedHostPower
from app.adapters.simulated.identity import SimulatedIdentity
from app.adapters.simulated.magic_packets import SentPacket, SimulatedMagicPackets, SimulatedNetwork
from app.domain.errors import ChainUnavailable, HostPowerFailed, MagicPacketNotSent, UnknownIdentity
from app.domain.model import FarmId, Mac, NodeId, NodeIdentity, TwinId
from app.ports.identity import Identity

pytestmark = pytest.mark.anyio

MAC = Mac("54:b2:03:a0:11:22")
OTHER = Mac("54:b2:03:a0:11:33")
WE = NodeIdentity(NodeId(7), FarmId(1), TwinId(70))


async def test_a_listener_hears_its_own_packets_and_those_that_are_not_lost(clock: VirtualClock) -> None:
    network = SimulatedNetwork(clock)
    packets = SimulatedMagicPackets(network)
    heard: list[tuple[float, Mac]] = []

    def listener(mac: Mac) -> None:
        heard.append((clock.monotonic(), mac))

    network.listen(MAC, listener)
    network.lose_next(MAC, 1)
    await packets.send(MAC)
    await clock.sleep(0.5)
    await packets.send(MAC)
    await packets.send(OTHER)
    assert heard == [(0.5, MAC)]
    assert network.sent == (SentPacket(0, MAC, lost=True), SentPacket(0.5, MAC), SentPacket(0.5, OTHER))
    assert network.sent_to(OTHER) == (0.5,)


async def test_the_network_forgets_the_oldest_packets(clock: VirtualClock) -> None:
    network = SimulatedNetwork(clock, keep_last=2)
    for mac in (MAC, OTHER, OTHER):
        network.carry(mac)
    assert [packet.mac for packet in network.sent] == [OTHER, OTHER]


async def test_so_many_sends_fail_and_the_next_does_not(clock: VirtualClock) -> None:
    network = SimulatedNetwork(clock)
    packets = SimulatedMagicPackets(network)
    packets.fail_next = 2
    for _ in range(2):
        with pytest.raises(MagicPacketNotSent):
            await packets.send(MAC)
    await packets.send(MAC)
    await packets.close()
    assert len(network.sent) == 1


async def test_a_machine_that_obeys_goes_down_and_one_that_ignores_does_not(clock: VirtualClock) -> None:
    went_down: list[float] = []
    power = SimulatedHostPower(clock, lambda: went_down.append(clock.monotonic()))
    power.mode = Obedience.IGNORES
    await power.power_off()
    stopping = [await power.stopping()]
    await clock.sleep(60)
    await power.force_power_off()
    stopping.append(await power.stopping())
    assert went_down == [60]
    assert stopping == [False, True]
    assert power.given == [GivenOrder(0, Order.POWER_OFF), GivenOrder(60, Order.FORCE_POWER_OFF)]


async def test_a_machine_reboots(clock: VirtualClock) -> None:
    rebooted: list[bool] = []
    power = SimulatedHostPower(clock, on_reboot=lambda: rebooted.append(True))
    await power.reboot()
    assert rebooted == [True]


async def test_a_hung_init_system_costs_its_deadline(clock: VirtualClock) -> None:
    power = SimulatedHostPower(clock, timeout_s=30)
    power.mode = Obedience.HANGS
    with pytest.raises(HostPowerFailed):
        await power.power_off()
    assert clock.monotonic() == 30


async def test_an_identity_comes_after_its_failures() -> None:
    identity = SimulatedIdentity(WE, fail_times=1)
    assert isinstance(identity, Identity)
    with pytest.raises(ChainUnavailable):
        await identity.identify()
    assert await identity.identify() == WE
    assert identity.asked == 2


async def test_an_unknown_node_has_no_identity() -> None:
    with pytest.raises(UnknownIdentity):
        await SimulatedIdentity(None).identify()
