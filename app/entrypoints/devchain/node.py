"""The dev chain's node: takes extrinsics into the ledger, and makes blocks on time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from app.adapters.simulated.ledger import Ledger
from app.adapters.simulated.ledger_blocks import Block, Extrinsic
from app.entrypoints.devchain.dev_runtime import TRANSACTION_VERSION, DevRuntime, Upgrades
from app.entrypoints.devchain.extrinsics import check, parse
from app.entrypoints.devchain.storage import ChainStorage


class AlreadyImported(Exception):
    """This extrinsic waits in the pool already."""


class DevNode:
    """A ledger with a runtime around it."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.clock_offset_s = 0.0
        self._upgrades = Upgrades()
        self.storage = ChainStorage(ledger, self._upgrades.executed)
        self._on_change: list[Callable[[], None]] = []
        ledger.listen(lambda _: self.changed())

    def now_s(self) -> float:
        """The time that its blocks carry, in seconds since 1970."""
        return time.time() + self.clock_offset_s

    def runtime_after(self, block: Block) -> DevRuntime:
        """The runtime in the state after this block: it executes the next one."""
        return self._upgrades.code_after(block.number)

    def upgrade_runtime(self) -> DevRuntime:
        """Make the block that brings the next runtime; ValueError while blocks are held.

        What waits in the pool for the one after it is dropped.
        """
        self._need_blocks()
        new = self._upgrades.upgrade(self.ledger.best_number + 1)
        self.ledger.produce(self.now_s())
        self.ledger.empty_pool()
        return new

    def fork(self, depth: int, *, lose: bool = False) -> None:
        """Replace the newest ``depth`` blocks, finalized ones never, by one more of another branch.

        ValueError while blocks are held.
        """
        self._need_blocks()
        before = self.ledger.best_number
        self.ledger.reorganise(depth, lose=lose)
        # Only a longer fork becomes the best chain, of which subscribers are notified.
        for _ in range(before - self.ledger.best_number + 1):
            self.ledger.produce(self.now_s())

    def when_changed(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` after every change of the chain; returns what undoes it."""
        self._on_change.append(listener)
        return lambda: self._on_change.remove(listener)

    def changed(self) -> None:
        for listener in tuple(self._on_change):
            listener()

    def submit(self, raw: bytes) -> Extrinsic:
        """Take an extrinsic into the pool, or raise `Unsigned`, `AlreadyImported` or `InvalidTransaction`."""
        if any(waiting.raw == raw for waiting in self.ledger.pending()):
            raise AlreadyImported
        signed = parse(raw)
        runtime = self.runtime_after(self.ledger.best)
        dies_after = check(signed, self.ledger, runtime.spec_version, TRANSACTION_VERSION)
        pallet, call, arguments = runtime.decode_call(signed.call)
        extrinsic = Extrinsic(signed.account, signed.nonce, call, arguments, pallet, raw, dies_after)
        self.ledger.submit(extrinsic, self.now_s())
        return extrinsic

    def _need_blocks(self) -> None:
        if self.ledger.hold_blocks:
            raise ValueError("blocks are held: let them go first (dev_holdBlocks false)")

    async def make_blocks(self) -> None:
        """One block every ``block_time_s``, until cancelled; with block time 0 extrinsics make their own."""
        if self.ledger.block_time_s == 0:
            await asyncio.Event().wait()
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += self.ledger.block_time_s
            await asyncio.sleep(max(0.0, due - loop.time()))
            self.ledger.produce(self.now_s())
