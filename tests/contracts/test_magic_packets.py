"""What every `MagicPackets` does: in memory, over UDP, and as frames on a real (virtual) cable."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import pytest

from app.adapters.simulated.clock import VirtualClock
from app.adapters.simulated.magic_packets import SimulatedMagicPackets, SimulatedNetwork
from app.adapters.wol.raw import ETHERTYPE_WAKE_ON_LAN, RawMagicPackets
from app.adapters.wol.several import Sender, SeveralMagicPackets
from app.adapters.wol.udp import UdpMagicPackets
from app.domain.errors import MagicPacketNotSent
from app.domain.model import Mac
from app.ports.magic_packets import MagicPackets
from tests.rigs import network as wire
from tests.rigs.isolation import in_network_namespace
from tests.rigs.virtual_time import run_really, run_virtually

MAC = Mac("54:45:46:f6:02:61")
ETHERTYPE_IPV4 = 0x0800


@dataclass(frozen=True)
class Line:
    """A sender; what arrives at the other end; and a way to break and fix what is between."""

    packets: MagicPackets
    next_mac: Callable[[], Mac]
    break_it: Callable[[], None]
    repair: Callable[[], None]


Body = Callable[[Line], Coroutine[Any, Any, None]]


def mac_in(payload: bytes) -> Mac:
    """Whom a magic packet wakes; fails unless it is 6 × ff and 16 × that MAC."""
    octets = payload[6:12]
    assert payload == b"\xff" * 6 + octets * 16
    return Mac(octets.hex(":"))


def simulated(body: Body) -> None:
    network = SimulatedNetwork(VirtualClock())
    packets = SimulatedMagicPackets(network)
    heard = iter(lambda: network.sent[len(seen)].mac, None)
    seen: list[Mac] = []

    def next_mac() -> Mac:
        seen_now = next(heard)
        seen.append(seen_now)
        return seen_now

    def fail(*, failing: bool) -> None:
        packets.failing = failing

    line = Line(packets, next_mac, lambda: fail(failing=True), lambda: fail(failing=False))
    run_virtually(lambda: body(line))


def udp_on_loopback(body: Body) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        packets = UdpMagicPackets("", "127.0.0.1", receiver.getsockname()[1])
        line = Line(packets, lambda: mac_in(receiver.recv(2048)), _unbreakable, _unbreakable)
        run_really(lambda: closing(packets, body, line))


def udp_on_cable(body: Body) -> None:
    on_cable(body, UdpMagicPackets(wire.NEAR), ETHERTYPE_IPV4)


def raw_on_cable(body: Body) -> None:
    on_cable(body, RawMagicPackets(wire.NEAR), ETHERTYPE_WAKE_ON_LAN)


def several_on_cable(body: Body) -> None:
    on_cable(body, SeveralMagicPackets({wire.NEAR: RawMagicPackets(wire.NEAR)}), ETHERTYPE_WAKE_ON_LAN)


def on_cable(body: Body, packets: Sender, ethertype: int) -> None:
    def in_namespace() -> None:
        wire.lay()
        with wire.listening(ethertype) as ear:
            line = Line(
                packets,
                lambda: mac_in(ear.next_frame()[-102:]),
                lambda: wire.set_down(wire.NEAR),
                lambda: wire.set_up(wire.NEAR),
            )
            run_really(lambda: closing(packets, body, line))

    in_network_namespace(in_namespace)


async def closing(packets: Sender, body: Body, line: Line) -> None:
    try:
        await body(line)
    finally:
        await packets.close()


def _unbreakable() -> None:
    raise AssertionError("this line can't be broken: use one of BREAKABLE")


RIGS = [simulated, udp_on_loopback, udp_on_cable, raw_on_cable, several_on_cable]
BREAKABLE = [simulated, udp_on_cable, raw_on_cable, several_on_cable]


@pytest.mark.parametrize("run", RIGS)
def test_a_packet_wakes_the_one_it_is_meant_for(run: Callable[[Body], None]) -> None:
    async def body(line: Line) -> None:
        assert isinstance(line.packets, MagicPackets)
        await line.packets.send(MAC)
        assert line.next_mac() == MAC

    run(body)


@pytest.mark.parametrize("run", RIGS)
def test_many_wakes_side_by_side_all_leave(run: Callable[[Body], None]) -> None:
    macs = [Mac(f"54:45:46:f6:02:{number:02x}") for number in range(10)]

    async def body(line: Line) -> None:
        for _ in range(10):
            async with asyncio.TaskGroup() as group:
                for mac in macs:
                    group.create_task(line.packets.send(mac))
            assert sorted(line.next_mac().text for _ in macs) == [mac.text for mac in macs]

    run(body)


@pytest.mark.parametrize("run", BREAKABLE)
def test_a_packet_that_does_not_leave_is_an_error_and_the_next_one_after_the_repair_goes(
    run: Callable[[Body], None],
) -> None:
    async def body(line: Line) -> None:
        await line.packets.send(MAC)
        assert line.next_mac() == MAC
        line.break_it()
        for _ in range(2):
            with pytest.raises(MagicPacketNotSent):
                await line.packets.send(MAC)
        line.repair()
        await line.packets.send(MAC)
        assert line.next_mac() == MAC

    run(body)
