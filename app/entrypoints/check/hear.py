"""``powerd check --hear``: waits for a magic packet, and says from whom it came, for whom, and by which interface."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing, suppress
from typing import TextIO

from app.adapters.libraries.timeouts import timeout
from app.adapters.wol.listener import Heard, hear
from app.domain.errors import PowerdError
from app.domain.model import Mac, Node, NodeId
from app.entrypoints.check.finding import Severity
from app.entrypoints.check.subject import Subject
from app.entrypoints.terminal.durations import shown_duration

COPIES_S = 1.0
"""A bridge shows a packet on its port and on itself; a burst goes on for seconds."""


async def hear_one(subject: Subject, wait_s: float, out: TextIO) -> Severity:
    """OK when a packet for this node came, a warning when only others' did, FAILED when none did."""
    heard: dict[Heard, None] = {}
    names = _Names(subject)
    asking = asyncio.create_task(names.ask(), name="names")
    print(
        f"listening for magic packets for {shown_duration(wait_s)} at most; send one from another node of the farm "
        "(powerd check --wake NODE)",
        file=out,
        flush=True,
    )
    try:
        await _listen(subject.settings.magic_packets.port, wait_s, heard, names)
        if heard:
            await asking
    finally:
        asking.cancel()
        await asyncio.wait([asking])
        await subject.close()
    for each in heard:
        print(names.line(each), file=out)
    if not heard:
        print(
            f"no magic packet came within {shown_duration(wait_s)}; remedy: check that both nodes are in one network "
            "segment, and that `powerd check --only packets` is ok on the other one",
            file=out,
        )
        return Severity.FAILED
    return Severity.OK if any(map(names.is_for_me, heard)) else Severity.WARNING


async def _listen(port: int, wait_s: float, heard: dict[Heard, None], names: _Names) -> None:
    """Fill ``heard``, until a moment after the first packet for this node."""
    loop = asyncio.get_running_loop()
    found = False
    try:
        async with timeout(wait_s) as limit, aclosing(hear(port)) as packets:
            async for each in packets:
                heard[each] = None
                if not found and names.is_for_me(each):
                    found = True
                    limit.reschedule(loop.time() + COPIES_S)
    except TimeoutError:
        return


class _Names:
    """The names of addresses, as far as the card and the chain show them. A name that can't be found is no failure."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._own: set[Mac] = set()
        self._nodes: dict[Mac, NodeId] = {}

    async def ask(self) -> None:
        await asyncio.gather(self._ask_card(), self._ask_chain())

    def is_for_me(self, heard: Heard) -> bool:
        """Whether the packet is for this node; true for every packet while this machine's address is not known."""
        return not self._own or heard.target in self._own

    def line(self, heard: Heard) -> str:
        sender = self._named(heard.sender) + (f" at {heard.ip}" if heard.ip else "")
        return f"heard on {heard.interface}: a magic packet for {self._named(heard.target.text)} from {sender}"

    def _named(self, address: str) -> str:
        mac = Mac(address)
        if mac in self._own:
            return f"this node ({address})"
        return f"node {self._nodes[mac]} ({address})" if mac in self._nodes else address

    async def _ask_card(self) -> None:
        with suppress(PowerdError, TimeoutError):
            async with timeout(self._subject.time_s):
                self._own.update((await self._subject.card()).addresses)

    async def _ask_chain(self) -> None:
        with suppress(PowerdError, TimeoutError):
            async with timeout(self._subject.time_s):
                own, chain = await self._subject.node(), self._subject.container.chain()
                records: Mapping[NodeId, object] = await chain.nodes(await chain.farm_nodes(own.farm))
                for node, record in records.items():
                    if isinstance(record, Node) and record.mac is not None:
                        self._nodes[record.mac] = node
                        if node == own.node:
                            self._own.add(record.mac)
