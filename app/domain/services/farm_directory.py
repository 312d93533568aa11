"""Which nodes the farm has, and by which address each is woken: read from the chain, and kept a while."""

from __future__ import annotations

from collections.abc import Collection

from app.domain.errors import ChainUnavailable
from app.domain.model import FarmId, Node, NodeId, Unreadable
from app.ports.chain import ChainReader
from app.ports.clock import Clock


class FarmDirectory:
    """The farm's other nodes. Errors are those of the chain."""

    def __init__(
        self,
        chain: ChainReader,
        clock: Clock,
        farm: FarmId,
        own: NodeId,
        *,
        refresh_s: float = 1800.0,
        all_records: bool = True,
    ) -> None:
        self._chain = chain
        self._clock = clock
        self._farm = farm
        self._own = own
        self._refresh_s = refresh_s
        self._all_records = all_records
        self._members: tuple[NodeId, ...] = ()
        self._nodes: dict[NodeId, Node] = {}
        self._read_at_s = float("-inf")

    async def peers(self) -> Collection[NodeId]:
        """All other nodes of the farm; the list is read again when it is older than ``refresh_s``.

        With it come the records of them all, or, where each costs a call (``all_records`` is False),
        of nobody: then `among` reads those of the nodes that may have to be woken.
        """
        if self._clock.monotonic() - self._read_at_s >= self._refresh_s:
            await self._read()
            self._read_at_s = self._clock.monotonic()
        return self._members

    async def _read(self) -> None:
        """Nodes that join while an answer is on its way stay: it is older than they are."""
        before = set(self._members)
        listed = await self._chain.farm_nodes(self._farm)
        if self._own not in listed and not self._chain.lacks_power:
            # An empty answer, say: to believe it would end every wake that is under way.
            raise ChainUnavailable(f"the list of the nodes of farm {self._farm} lacks this node, {self._own}")
        joined = [node for node in self._members if node not in before]
        self._members = tuple(node for node in dict.fromkeys([*listed, *joined]) if node != self._own)
        members = set(self._members)
        if self._all_records:
            records = await self._chain.nodes(self._members)
            broken = {node for node, record in records.items() if isinstance(record, Unreadable)}
            found = {
                node: record
                for node, record in records.items()
                if not isinstance(record, Unreadable) and record.farm == self._farm
            }
            # A record that can't be read is not one that is gone: what was read last still counts.
            kept = {
                node: self._nodes[node]
                for node in self._members
                if (node not in members or node in broken) and node in self._nodes
            }
            self._nodes = found | kept
            self._members = tuple(node for node in self._members if node in self._nodes or node in broken)
        else:
            self._nodes = {node: record for node, record in self._nodes.items() if node in members}

    async def among(self, nodes: Collection[NodeId]) -> Collection[NodeId]:
        """Those of ``nodes`` that are peers of this farm; one whose record is not known yet is looked up.

        A member whose record can't be read now is a peer all the same.
        """
        unknown = [node for node in nodes if node not in self._nodes and node != self._own]
        try:
            await self.reread(unknown)
        except ChainUnavailable:
            # A gateway that can't tell one record must not keep the others from being woken.
            if any(node not in self._members for node in unknown):
                raise
        return [node for node in nodes if node in self._nodes or node in self._members]

    async def reread(self, nodes: Collection[NodeId]) -> None:
        """Read these records again: a new node, or one whose card may have been replaced.

        A member's record that is not answered, or can't be read, stays as it was; a node that joined is a member
        from now on.
        """
        if not nodes:
            return
        found = await self._chain.nodes(nodes)
        for node in nodes:
            record = found.get(node)
            if isinstance(record, Unreadable):
                continue
            if record is not None and record.farm == self._farm:
                self._nodes[node] = record
                if node not in self._members:
                    self._members = (*self._members, node)
            elif record is not None or node not in self._members:
                self._nodes.pop(node, None)
                self._members = tuple(member for member in self._members if member != node)

    def known(self, node: NodeId) -> Node | None:
        """The record as last read."""
        return self._nodes.get(node)
