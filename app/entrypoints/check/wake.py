"""``powerd check --wake NODE``: wakes a sleeping node, and waits until the chain shows it awake."""

from __future__ import annotations

import asyncio
from typing import TextIO

from app.adapters.libraries.timeouts import timeout
from app.domain.errors import MemoryUnusable, PermanentError, RetryableError
from app.domain.model import HeadKind, Mac, Node, NodeId, NodePower, Power, Unreadable
from app.entrypoints.check.finding import Severity
from app.entrypoints.check.subject import Subject
from app.entrypoints.terminal.durations import shown_duration
from app.entrypoints.wiring.files import woken_nodes

LOOK_S = 2.0


class CannotWake(PermanentError):
    """The wake of this node can't be tried or proved."""

    exit_code = 2


async def wake(subject: Subject, node: NodeId, wait_s: float, out: TextIO) -> Severity:
    """OK when it woke, a warning when it was awake before, FAILED when it did not wake in time."""
    try:
        mac = await _address(subject, node)
        before = await _power(subject, node)
        if isinstance(before, Unreadable):
            raise CannotWake(f"the power of node {node} can't be read: {before.reason}")
        if before.state.power is Power.UP:
            return await _call_awake(subject, node, mac, out)
        return await _Waker(subject, node, mac, before, out).wake(wait_s)
    finally:
        await subject.container.magic_packets().close()
        await subject.close()


async def _address(subject: Subject, node: NodeId) -> Mac:
    own = await subject.node()
    if node == own.node:
        raise CannotWake(
            f"node {node} is this one, and no node wakes itself; ask for it on another node of farm {own.farm}"
        )
    record = (await subject.container.chain().nodes([node])).get(node)
    if record is None:
        raise CannotWake(f"the chain knows no node {node}; `powerd farm list` shows those of this farm")
    if isinstance(record, Unreadable):
        raise CannotWake(f"the record of node {node} can't be read: {record.reason}")
    assert isinstance(record, Node)
    if record.farm != own.farm:
        raise CannotWake(
            f"node {node} is of farm {record.farm}, and this one of farm {own.farm}; name one of this farm"
        )
    if record.mac is None:
        raise CannotWake(
            f"no node can wake node {node}: {record.mac_problem}; have it register its network cards again"
        )
    return record.mac


async def _power(subject: Subject, node: NodeId) -> NodePower | Unreadable:
    # Final: a reorganisation moves a young Down to another block, which is no wake.
    reading = await subject.container.chain().powers([node], HeadKind.FINALIZED)
    power: NodePower | Unreadable = reading.powers[node]
    return power


async def _call_awake(subject: Subject, node: NodeId, mac: Mac, out: TextIO) -> Severity:
    """A packet to a running machine is harmless, and ``powerd check --hear`` may wait for it there."""
    await _burst(subject, mac)
    print(
        f"node {node} ({mac}) is Up on chain already: a burst was sent, which `powerd check --hear` hears there. That "
        f"proves no wake: put it to sleep first (powerd farm down {node})",
        file=out,
    )
    return Severity.WARNING


async def _burst(subject: Subject, mac: Mac) -> None:
    wake = subject.settings.wake
    for _ in range(wake.packets):
        await subject.container.magic_packets().send(mac)
        await asyncio.sleep(wake.packet_interval_s)


class _Waker:
    """Send bursts with growing pauses, as the daemon does, while the chain is read."""

    def __init__(self, subject: Subject, node: NodeId, mac: Mac, before: NodePower, out: TextIO) -> None:
        self._subject = subject
        self._node = node
        self._mac = mac
        self._before = before
        self._out = out
        self._bursts = 0

    async def wake(self, wait_s: float) -> Severity:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        where = ", ".join(self._subject.settings.magic_packets.interfaces) or "the default route"
        self._say(f"calling node {self._node} ({self._mac}) on {where}, for {shown_duration(wait_s)} at most")
        self._say(self._who_else())
        calling = asyncio.create_task(self._call(), name="calling")
        try:
            async with timeout(wait_s):
                await self._until_awake(calling)
        except TimeoutError:
            self._say(
                f"node {self._node} did not wake within {shown_duration(wait_s)}, after {self._bursts} bursts; remedy: "
                "wake it by its button, run `powerd check` on it, see that both are in one network segment "
                "(`powerd check --hear` there), and that its firmware lets the card wake it (Wake on LAN on, ErP off)"
            )
            return Severity.FAILED
        finally:
            calling.cancel()
            await asyncio.wait([calling])
        took = shown_duration(loop.time() - began_s)
        self._say(f"node {self._node} woke: the chain shows it awake {took} after the first packet")
        await self._remember()
        return Severity.OK

    async def _remember(self) -> None:
        """Remember the wake, unless another node may have woken it too."""
        settings = self._subject.settings
        if self._before.target is Power.DOWN and self._subject.uses("boot_memory", "files"):
            try:
                memory = woken_nodes(settings)
                woken = {**(await memory.load() or {}), self._node: self._subject.clock.now()}
                await memory.save(dict(sorted(woken.items())))
            except MemoryUnusable as error:
                self._say(f"that can't be remembered: {error}")

    def _who_else(self) -> str:
        if self._before.target is Power.UP:
            return "its target is Up, so other nodes of the farm may be calling it too: a wake shows that one wakes it"
        return "its target is Down, so no other node calls it; it goes back to sleep by itself afterwards"

    async def _call(self) -> None:
        wake = self._subject.settings.wake
        pause_s = wake.retry_delay_s_min
        while True:
            self._bursts += 1
            await _burst(self._subject, self._mac)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, wake.retry_delay_s_max)

    async def _until_awake(self, calling: asyncio.Task[None]) -> None:
        """Wait until the state is Up, or a new Down (it was Up in between). A failed read is repeated."""
        while True:
            if calling.done():
                await calling  # it ends only by its error
            try:
                power = await _power(self._subject, self._node)
            except RetryableError as error:
                self._say(f"the chain can't be read now: {error}")
            else:
                if isinstance(power, NodePower) and power.state != self._before.state:
                    return
            await asyncio.sleep(LOOK_S)

    def _say(self, text: str) -> None:
        print(text, file=self._out, flush=True)
