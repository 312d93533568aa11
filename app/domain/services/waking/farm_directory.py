"""The farm's nodes and the address that wakes each: read from the chain, and cached for a while."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress

from app.domain.errors import ChainUnavailable
from app.domain.faults import FaultKey, FaultKind
from app.domain.model import HeadKind, Node, NodeId, Powers, Unreadable
from app.domain.services.context.node_context import NodeContext
from app.ports.chain import ChainReader

REMEDY = "Have the node register again (Zero-OS does so when it boots), or look for a newer version of powerd"


class FarmDirectory:
    """The farm's other nodes. Raises the errors of the chain."""

    def __init__(
        self,
        context: NodeContext,
        chain: ChainReader,
        *,
        refresh_s: float = 1800.0,
        nodes_at_once: int | None = None,
    ) -> None:
        self._chain = chain
        self._clock = context.clock
        self._farm = context.node.farm
        self._own = context.node.node
        self._faults = context.faults
        self._refresh_s = refresh_s
        self.nodes_at_once = nodes_at_once
        """How many nodes are read together where each costs a call (behind a gateway); None: all of them."""
        self._members: tuple[NodeId, ...] = ()
        self._nodes: dict[NodeId, Node] = {}
        self._unreadable: set[NodeId] = set()
        self._read_at_s = float("-inf")

    @property
    def lacks_power(self) -> str:
        """Why nodes have no power target on this chain; empty where they have one."""
        return self._chain.lacks_power

    @property
    def _all_at_once(self) -> bool:
        return self.nodes_at_once is None

    async def powers(self, nodes: Collection[NodeId]) -> Powers:
        """The power of these nodes at the best head now, in one read."""
        return (await self._chain.powers(nodes, HeadKind.BEST)).powers

    async def peers(self) -> Collection[NodeId]:
        """All other nodes of the farm; the list is read again when it is older than ``refresh_s``.

        Reads the records of all of them too, unless each costs a call (``nodes_at_once``). Then `among` reads the
        records of nodes that may have to be woken.
        """
        if self._clock.monotonic() - self._read_at_s >= self._refresh_s:
            await self._read()
            self._read_at_s = self._clock.monotonic()
        return self._members

    async def _read(self) -> None:
        """Read the list. A node that joins during the read stays a member: the answer is older."""
        before = set(self._members)
        listed = await self._chain.farm_nodes(self._farm)
        if self._own not in listed and not self._chain.lacks_power:
            # An empty answer, for example, would end every wake that is under way.
            raise ChainUnavailable(f"the list of the nodes of farm {self._farm} lacks this node, {self._own}")
        joined = [node for node in self._members if node not in before]
        self._members = tuple([node for node in dict.fromkeys([*listed, *joined]) if node != self._own])
        members = set(self._members)
        if self._all_at_once:
            asked = self._members
            records = await self._chain.nodes(asked)
            if len(records) == len(asked) and records == self._nodes and not self._unreadable:
                return  # All have the record that is known, as at nearly every read.
            good = {
                node: record
                for node, record in records.items()
                if isinstance(record, Node) and record.farm == self._farm and node in members
            }
            self._nodes |= good
            for node in asked:
                if node not in good or node in self._unreadable:
                    self._learn(node, records.get(node))
        members = set(self._members)
        self._nodes = {node: record for node, record in self._nodes.items() if node in members}
        for node in sorted(self._unreadable - members):
            self._readable(node)
        if not self._all_at_once:
            with suppress(ChainUnavailable):
                await self.reread(sorted(self._unreadable))

    async def among(self, nodes: Collection[NodeId]) -> Collection[NodeId]:
        """The nodes of ``nodes`` that are peers in this farm; looks up records that are not known yet.

        A member whose record can't be read now is a peer as well.
        """
        unknown = [node for node in nodes if node not in self._nodes and node != self._own]
        try:
            if unknown:
                await self.reread(unknown)
        except ChainUnavailable:
            # One record that a gateway can't deliver must not prevent wakes of other nodes.
            if any(node not in self._members for node in unknown):
                raise
        return [node for node in nodes if node in self._nodes or node in self._members]

    async def reread(self, nodes: Collection[NodeId]) -> None:
        """Read these records again: of new nodes, or of nodes whose card may have been replaced.

        A member's record without an answer stays as it was; a node that joined is a member from now on.
        """
        if not nodes:
            return
        found = await self._chain.nodes(nodes)
        for node in nodes:
            record = found.get(node)
            if record is not None or node not in self._members:
                self._learn(node, record)

    def unknown(self, members: Iterable[NodeId]) -> list[NodeId]:
        """Those of these members whose record was not read yet."""
        known = self._nodes
        if len(known) >= len(self._members):
            return []
        return [node for node in members if node not in known]

    def known(self, node: NodeId) -> Node | None:
        return self._nodes.get(node)

    def is_unreadable(self, node: NodeId) -> bool:
        """Whether the chain has a record of this member that could not be decoded at the last read."""
        return node in self._unreadable

    def _learn(self, node: NodeId, record: Node | Unreadable | None) -> None:
        """Take a record as read. One that can't be decoded is a fault; membership and known record stay."""
        if isinstance(record, Unreadable):
            self._cannot_read(node, record)
        elif record is not None and record.farm == self._farm:
            self._nodes[node] = record
            self._readable(node)
            if node not in self._members:
                self._members = (*self._members, node)
        else:
            self._nodes.pop(node, None)
            self._readable(node)
            self._members = tuple(member for member in self._members if member != node)

    def _cannot_read(self, node: NodeId, record: Unreadable) -> None:
        if node not in self._members:
            # It may have joined a moment ago: the farm's list decides.
            self._read_at_s = float("-inf")
            return
        self._unreadable.add(node)
        known = self._nodes.get(node)
        used = (
            "it can't be woken"
            if known is None or known.mac is None
            else f"it is woken by {known.mac}, the address that was last read"
        )
        self._faults.report(_fault(node), f"{record.reason}; {used}. {REMEDY}")

    def _readable(self, node: NodeId) -> None:
        if node in self._unreadable:
            self._unreadable.discard(node)
            self._faults.clear(_fault(node))


def _fault(node: NodeId) -> FaultKey:
    return FaultKind.NODE_RECORD.key(node)
