"""The two real senders: their bytes on the wire, their endurance, and what they say when refused."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from app.adapters.wol.datagrams import RETRY_DELAYS_S, DatagramMagicPackets
from app.adapters.wol.raw import ETHERTYPE_WAKE_ON_LAN, RawMagicPackets
from app.adapters.wol.several import Sender, SeveralMagicPackets
from app.adapters.wol.udp import UdpMagicPackets
from app.domain.errors import MagicPacketNotSent, MagicPacketSentInPart
from app.domain.model import Mac
from tests.rigs import network as wire
from tests.rigs.isolation import in_network_namespace, without_capabilities
from tests.slowness import patient

MAC = Mac("54:45:46:f6:02:61")
MAGIC_PACKET = b"\xff" * 6 + bytes.fromhex("544546f60261") * 16
# Recorded from Debian's etherwake, sent from an interface with the MAC 02:00:00:00:00:01.
ETHERWAKE_FRAME = bytes.fromhex("544546f602610200000000010842") + MAGIC_PACKET


def several(make: Callable[[str], DatagramMagicPackets], *interfaces: str) -> SeveralMagicPackets:
    return SeveralMagicPackets({interface: make(interface) for interface in interfaces})


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def send(packets: Sender, times: int = 1) -> None:
    try:
        for _ in range(times):
            await packets.send(MAC)
    finally:
        await packets.close()


def complaint(packets: Sender) -> str:
    with pytest.raises(MagicPacketNotSent) as caught:
        asyncio.run(send(packets))
    return str(caught.value)


def test_the_frame_is_byte_for_byte_what_etherwake_sends() -> None:
    def body() -> bytes:
        wire.lay()
        with wire.listening(ETHERTYPE_WAKE_ON_LAN) as ear:
            asyncio.run(send(RawMagicPackets(wire.NEAR)))
            return ear.next_frame()

    frame = in_network_namespace(body)
    assert frame == ETHERWAKE_FRAME
    assert len(frame) == 116


def test_a_udp_packet_is_broadcast_to_the_discard_port_without_any_route() -> None:
    def body() -> bytes:
        wire.lay()
        with wire.listening(0x0800) as ear:
            asyncio.run(send(UdpMagicPackets(wire.NEAR)))
            return ear.next_frame()

    frame = in_network_namespace(body)
    assert frame[:6] == b"\xff" * 6
    assert frame[30:34] == socket.inet_aton("255.255.255.255")
    assert int.from_bytes(frame[36:38], "big") == 9
    assert frame[42:] == MAGIC_PACKET


@pytest.mark.parametrize("make", [RawMagicPackets, UdpMagicPackets])
def test_an_interface_made_again_is_used_at_once(make: Callable[[str], Sender]) -> None:
    async def body() -> None:
        packets = make(wire.NEAR)
        wire.lay()
        try:
            await packets.send(MAC)
            wire.cut()
            with pytest.raises(MagicPacketNotSent, match="no such network interface"):
                await packets.send(MAC)
            wire.lay()
            await packets.send(MAC)
            wire.cut()
            wire.lay()
            with wire.listening(ETHERTYPE_WAKE_ON_LAN if make is RawMagicPackets else 0x0800) as ear:
                await packets.send(MAC)
                assert ear.next_frame()[-102:] == MAGIC_PACKET
        finally:
            await packets.close()

    in_network_namespace(lambda: asyncio.run(body()))


@pytest.mark.parametrize("make", [RawMagicPackets, UdpMagicPackets])
def test_an_interface_that_was_renamed_is_not_used(make: Callable[[str], Sender]) -> None:
    """Its socket would send on, and another interface may have the name by now: the wake would be lost in silence."""

    async def body() -> None:
        packets = make(wire.NEAR)
        wire.lay()
        try:
            await packets.send(MAC)
            wire.rename(wire.NEAR, "other")
            with pytest.raises(MagicPacketNotSent, match="no such network interface"):
                await packets.send(MAC)
            wire.rename("other", wire.NEAR)
            await packets.send(MAC)
        finally:
            await packets.close()

    in_network_namespace(lambda: asyncio.run(body()))


def test_a_packet_leaves_by_every_interface() -> None:
    def body() -> set[bytes]:
        wire.lay()
        # The ear at the far end hears what comes in there, and what leaves there.
        with wire.listening(ETHERTYPE_WAKE_ON_LAN) as ear:
            asyncio.run(send(several(RawMagicPackets, wire.NEAR, wire.FAR)))
            frames = [ear.next_frame(), ear.next_frame()]
        assert [frame[-102:] for frame in frames] == [MAGIC_PACKET] * 2
        return {frame[6:12] for frame in frames}

    assert len(in_network_namespace(body)) == 2


@pytest.mark.parametrize("make", [RawMagicPackets, UdpMagicPackets])
def test_an_interface_that_fails_does_not_stop_the_others(make: Callable[[str], DatagramMagicPackets]) -> None:
    def body() -> Mapping[str, str]:
        wire.lay()
        with wire.listening(ETHERTYPE_WAKE_ON_LAN if make is RawMagicPackets else 0x0800) as ear:
            with pytest.raises(MagicPacketSentInPart) as caught:
                asyncio.run(send(several(make, "zos8", wire.NEAR, "zos9")))
            assert ear.next_frame()[-102:] == MAGIC_PACKET
        return caught.value.reasons

    reasons = in_network_namespace(body)
    assert list(reasons) == ["zos8", "zos9"]
    assert all(name in said and "no such network interface" in said for name, said in reasons.items())


def test_when_every_interface_fails_nothing_was_sent_and_each_is_named() -> None:
    said = in_network_namespace(lambda: complaint(several(RawMagicPackets, "zos8", "zos9")))
    assert "zos8: there is no such network interface" in said
    assert "zos9: there is no such network interface" in said


def test_ten_packets_to_each_of_a_thousand_nodes_take_one_socket_and_little_time() -> None:
    async def body() -> float:
        packets = RawMagicPackets(wire.NEAR)
        wire.lay()
        loop = asyncio.get_running_loop()
        await packets.send(MAC)
        open_before, began_s = open_files(), loop.time()
        for _ in range(10):
            async with asyncio.TaskGroup() as group:
                for _ in range(1000):
                    group.create_task(packets.send(MAC))
        took_s = loop.time() - began_s
        assert open_files() <= open_before
        await packets.close()
        return took_s

    assert in_network_namespace(lambda: asyncio.run(body())) < patient(10)


@pytest.mark.parametrize("make", [RawMagicPackets, UdpMagicPackets])
def test_a_missing_interface_is_named(make: Callable[[str], Sender]) -> None:
    said = in_network_namespace(lambda: complaint(make("zos9")))
    assert "zos9" in said
    assert "no such network interface" in said


@pytest.mark.parametrize("make", [RawMagicPackets, UdpMagicPackets])
def test_an_interface_that_is_down_is_named_with_the_remedy(make: Callable[[str], Sender]) -> None:
    def body() -> str:
        wire.lay()
        wire.set_down(wire.NEAR)
        return complaint(make(wire.NEAR))

    assert f"ip link set {wire.NEAR} up" in in_network_namespace(body)


def test_without_rights_a_raw_sender_names_the_capability() -> None:
    said = without_capabilities(lambda: complaint(RawMagicPackets("lo")))
    assert "CAP_NET_RAW" in said
    assert "lo" in said


def test_without_a_route_an_unbound_broadcast_asks_for_the_interface() -> None:
    assert "name the network interface" in in_network_namespace(lambda: complaint(UdpMagicPackets("")))


@pytest.mark.anyio
async def test_an_old_kernel_that_does_not_let_users_bind_to_an_interface_names_the_capability(
    mocker: MockerFixture,
) -> None:
    refusing = mocker.Mock()
    refusing.setsockopt.side_effect = [None, PermissionError(errno.EPERM, "Operation not permitted")]
    mocker.patch("socket.socket", return_value=refusing)
    with pytest.raises(MagicPacketNotSent, match="CAP_NET_RAW"):
        await UdpMagicPackets("eth0").send(MAC)
    refusing.close.assert_called_once_with()


@pytest.mark.anyio
async def test_a_full_send_buffer_is_waited_for_a_little(mocker: MockerFixture) -> None:
    busy = mocker.Mock()
    busy.sendto.side_effect = [BlockingIOError(errno.EAGAIN, "full"), OSError(errno.ENOBUFS, "full"), 102]
    mocker.patch("socket.socket", return_value=busy)
    await UdpMagicPackets("").send(MAC)
    assert busy.sendto.call_count == 3


@pytest.mark.anyio
async def test_a_send_buffer_that_stays_full_is_an_error_in_the_end(mocker: MockerFixture) -> None:
    full = mocker.Mock()
    full.sendto.side_effect = OSError(errno.ENOBUFS, "No buffer space available")
    mocker.patch("socket.socket", return_value=full)
    with pytest.raises(MagicPacketNotSent, match="No buffer space"):
        await UdpMagicPackets("").send(MAC)
    assert full.sendto.call_count == len(RETRY_DELAYS_S) + 1


def test_a_closed_sender_opens_again_when_needed() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        packets = UdpMagicPackets("", "127.0.0.1", receiver.getsockname()[1])
        asyncio.run(send(packets))
        asyncio.run(send(packets))
        assert [receiver.recv(200), receiver.recv(200)] == [MAGIC_PACKET] * 2


@pytest.mark.parametrize("host", ["broadcasthost", "", "fe80::1", "256.1.1.1"])
def test_only_an_ipv4_address_is_a_host(host: str) -> None:
    with pytest.raises(ValueError, match="no IPv4 address"):
        UdpMagicPackets("", host)
