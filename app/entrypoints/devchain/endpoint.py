"""One address of the dev chain, which behaves as a separate node with its own faults."""

from __future__ import annotations

from typing import Literal

from websockets.asyncio.server import ServerConnection

from app.adapters.simulated.ledger_blocks import Block
from app.entrypoints.devchain.node import DevNode

DropAt = Literal["", "before", "after"]


class Endpoint:
    """A node's view of the chain, and its faults.

    ``silent``: it takes connections and requests, and never answers. ``delay_s``: seconds before every
    answer. ``lag_blocks``: it has not seen the newest blocks yet. ``drop_at``: it drops the connection
    over which the next extrinsic comes, before or after it has taken it, in both cases without an answer.
    """

    def __init__(self, node: DevNode) -> None:
        self.node = node
        self.silent = False
        self.delay_s = 0.0
        self.drop_at: DropAt = ""
        self.connections: set[ServerConnection] = set()
        self._lag_blocks = 0

    @property
    def lag_blocks(self) -> int:
        """Blocks by which its head is behind the chain's."""
        return self._lag_blocks

    @lag_blocks.setter
    def lag_blocks(self, blocks: int) -> None:
        self._lag_blocks = blocks
        self.node.changed()

    @property
    def best(self) -> Block:
        ledger = self.node.ledger
        return ledger.block(max(0, ledger.best_number - self._lag_blocks)) or ledger.best

    @property
    def finalized(self) -> Block:
        best, finalized = self.best, self.node.ledger.finalized
        return best if best.number < finalized.number else finalized

    def block(self, number: int) -> Block | None:
        """A block by number; None if it does not know one."""
        return self.node.ledger.block(number) if number <= self.best.number else None

    def block_of(self, block_hash: str | None) -> Block | None:
        """A block by hash, the best without one."""
        if block_hash is None:
            return self.best
        block = self.node.ledger.by_hash(block_hash)
        return None if block is None or block.number > self.best.number else block

    def drop_connections(self, *, but: ServerConnection | None = None) -> int:
        """Drop all connections, and return how many."""
        dropped = [connection for connection in self.connections if connection is not but]
        for connection in dropped:
            connection.transport.abort()
        return len(dropped)
