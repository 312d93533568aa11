"""``powerd farm wake``: a burst of magic packets to each node, from this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TextIO

from app.adapters.telemetry.log import one_line
from app.domain.errors import MagicPacketNotSent, MagicPacketSentInPart, UnknownIdentity
from app.domain.model import HeadKind, Mac, Node, NodeId, NodePower, Power
from app.entrypoints.settings.profiles import kind_of
from app.entrypoints.settings.schema import Settings
from app.entrypoints.wiring.container import Container
from app.ports.chain import ChainReader
from app.ports.magic_packets import MagicPackets

ALL_CALLED, SOME_FAILED = 0, 1

NO_PROOF = "no machine answers a magic packet, so this proves no wake: look at the machine, or at `powerd farm list`"


def packet_settings(interfaces: Sequence[str], *, udp: bool) -> Mapping[str, object]:
    """The settings with the command's options."""
    given: dict[str, object] = {"magic_packets.kind": "udp"} if udp else {}
    if interfaces:
        given["magic_packets.interface"] = list(interfaces)
    elif udp:
        given["magic_packets.interface"] = ""  # routed by the system: the default names a bridge of Zero-OS
    return given


def call(container: Container, nodes: Sequence[int], macs: Sequence[Mac], out: TextIO, err: TextIO) -> int:
    """The exit code. `UnknownIdentity` before any packet, where the chain does not know one of the nodes.

    It asks the chain only for ``nodes``.
    """
    return asyncio.run(_call(container, [NodeId(node) for node in dict.fromkeys(nodes)], macs, out, err))


async def _call(container: Container, nodes: Sequence[NodeId], given: Sequence[Mac], out: TextIO, err: TextIO) -> int:
    settings: Settings = container.settings()
    macs = {str(mac): mac for mac in given}
    problems: dict[str, str] = {}
    async with AsyncExitStack() as stack:
        if nodes:
            stack.push_async_callback(container.chain_client().close)
            macs, warnings = await _addresses(container.farm_chain(), nodes, problems)
            for name, text in warnings.items():
                print(f"powerd: {name}: {one_line(text)}", file=err, flush=True)
        packets: MagicPackets = container.magic_packets()
        if (close := getattr(packets, "close", None)) is not None:  # the simulated ones hold nothing
            stack.push_async_callback(close)
        called = await _burst(packets, macs, settings, problems)
    for name in called:
        print(f"{name}: {settings.wake.packets} magic packets {_route(settings, name, macs[name])}", file=out)
    for name, text in problems.items():
        print(f"powerd: {name}: {one_line(text)}", file=err)
    if called:
        print(NO_PROOF, file=out)
    return SOME_FAILED if set(problems) - set(called) else ALL_CALLED


async def _addresses(
    chain: ChainReader, nodes: Sequence[NodeId], problems: dict[str, str]
) -> tuple[dict[str, Mac], Mapping[str, str]]:
    """The addresses in the nodes' records, with hints for the farmer. Nodes without one are added to ``problems``."""
    records = await chain.nodes(nodes)
    if unknown := [str(node) for node in nodes if node not in records]:
        raise UnknownIdentity(f"the chain knows no node {', '.join(unknown)}: correct the id. No packet was sent")
    macs: dict[NodeId, Mac] = {}
    for node in nodes:
        record = records[node]
        if isinstance(record, Node) and record.mac is not None:
            macs[node] = record.mac
        else:
            problems[_name(node)] = record.mac_problem if isinstance(record, Node) else record.reason
    powers = (await chain.powers(list(macs), HeadKind.BEST)).powers if macs else {}
    asleep = "its target is Down, so that it goes to sleep again: `powerd farm up {}` keeps it up"
    return {_name(node): mac for node, mac in macs.items()}, {
        _name(node): asleep.format(node)
        for node, power in powers.items()
        if isinstance(power, NodePower) and power.target is Power.DOWN
    }


def _name(node: NodeId) -> str:
    return f"node {node}"


async def _burst(
    packets: MagicPackets, macs: Mapping[str, Mac], settings: Settings, problems: dict[str, str]
) -> Sequence[str]:
    """The names to which packets were sent; failures, also of one interface, are added to ``problems``."""
    called = dict.fromkeys(macs, False)
    for number in range(settings.wake.packets if macs else 0):
        if number:
            await asyncio.sleep(settings.wake.packet_interval_s)
        for name, mac in macs.items():
            try:
                await packets.send(mac)
                called[name] = True
            except MagicPacketSentInPart as error:
                called[name] = True
                problems[name] = str(error)
            except MagicPacketNotSent as error:
                problems[name] = (
                    f"{error}. Here, name this machine's own card or bridge with --interface NAME, or use --udp"
                )
        if not any(called.values()):
            break  # a packet that the system refuses now is refused half a second later too
    return [name for name, left in called.items() if left]


def _route(settings: Settings, name: str, mac: Mac) -> str:
    """The address where ``name`` is another word, the interface and the method, in words."""
    magic = settings.magic_packets
    by = ", ".join(name for name in magic.interfaces if name) or "the interface that the system chooses"
    udp = kind_of(settings, "magic_packets") == "udp"
    to = "" if name == str(mac) else f"to {mac} "
    return f"{to}on {by}, {f'as UDP to {magic.host}:{magic.port}' if udp else 'as Ethernet frames'}"
