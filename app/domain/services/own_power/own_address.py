"""Compares the address in this node's record on chain with the addresses of its network card (R14)."""

from __future__ import annotations

from app.domain.errors import NotWakeable
from app.domain.model import Nic
from app.domain.rules.address import address_objection
from app.domain.services.context.node_context import NodeContext
from app.ports.chain import ChainReader

GOOD_FOR_S = 240.0
"""A matching record is read again after this time, or when the card changes: a node in doubt looks every 2 s."""


class OwnAddress:
    """Reads the record, and remembers a match for a short while."""

    def __init__(self, context: NodeContext, chain: ChainReader) -> None:
        self._chain = chain
        self._node = context.node.node
        self._clock = context.clock
        self._fitted: Nic | None = None
        self._read_at_s = float("-inf")

    async def check(self, card: Nic, *, lately: bool) -> None:
        """Raises `NotWakeable` when no peer can wake this node, and `ChainUnavailable` when that is not known.

        With ``lately`` an answer that is some minutes old is enough.
        """
        if lately and card == self._fitted and self._clock.monotonic() - self._read_at_s < GOOD_FOR_S:
            return
        self._fitted = None
        record = (await self._chain.nodes([self._node])).get(self._node)
        objection = address_objection(self._node, record, [card])
        if objection:
            raise NotWakeable(objection)
        self._fitted, self._read_at_s = card, self._clock.monotonic()
