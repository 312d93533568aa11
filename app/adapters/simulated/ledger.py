"""A chain in memory: accounts, a transaction pool, blocks, finality, and reorganisations on request.

Pure and synchronous: time is handed in. The dev chain serves this object over Substrate's JSON-RPC;
unit tests and simulations call it directly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from app.adapters.simulated.ledger_blocks import Block, Event, Extrinsic
from app.adapters.simulated.pallet import CALLS, NODE_CALLS, PalletError
from app.adapters.simulated.pool import Pool
from app.adapters.simulated.versions import Versions

FEE = 10_000
"""About 0.001 TFT, in units of 10⁻⁷ TFT."""

HISTORY_BLOCKS = 4096
FUTURE_NONCES = 64


class InvalidTransaction(Exception):
    """The pool does not take the extrinsic; the text is Substrate's word for why (``stale`` …)."""


class _Making:
    """The state as a call sees it while its block is made (`pallet.State`)."""

    def __init__(self, store: Versions, block: Block, index: int) -> None:
        self.number = block.number
        self.time_ms = block.time_ms
        self._store = store
        self._index = index
        self.writes: dict[tuple[str, Any], Any] = {}
        self.events: list[Event] = []

    def read(self, name: str, key: Any, default: Any = None) -> Any:
        if (name, key) in self.writes:
            return self.writes[name, key]
        return self._store.newest(name).get(key, default)

    def write(self, name: str, key: Any, value: Any) -> None:
        self.writes[name, key] = value

    def deposit(self, event: str, attributes: object) -> None:
        self.events.append(Event(self._index, "TfgridModule", event, attributes))


class Ledger:
    """The chain; ``name`` makes its genesis different from that of others.

    Switches: ``hold_finality``, ``hold_blocks``, ``lose_next`` (how many), ``refuse_next`` (why, ``refuse_count``
    times).
    """

    def __init__(
        self,
        start_s: float,
        *,
        name: str = "",
        block_time_s: float = 6.0,
        finality_lag: int = 3,
        history_blocks: int = HISTORY_BLOCKS,
    ) -> None:
        self.block_time_s = block_time_s
        self.finality_lag = 0 if block_time_s == 0 else finality_lag
        self.store = Versions()
        self.hold_finality = False
        self.hold_blocks = False
        self.lose_next = 0
        self.refuse_next = ""
        self.refuse_count = 1
        self._blocks: dict[int, Block] = {}
        self._numbers: dict[str, int] = {}
        self._first = 0
        self._forks = 0
        self._history_blocks = history_blocks
        self._pool = Pool()
        self._decrees: dict[tuple[str, Any], tuple[int, Any]] = {}
        self._listeners: list[Callable[[Block], None]] = []
        self._waiting: list[Callable[[], None]] = []
        self.finalized_number = 0
        self._add(Block(0, self._hash(name, 0), "0x" + "00" * 32, int(start_s * 1000)))

    # -- reading -----------------------------------------------------------------------------------
    @property
    def best(self) -> Block:
        return self._blocks[self.best_number]

    @property
    def finalized(self) -> Block:
        """The newest block that no fork can undo."""
        return self._blocks[self.finalized_number]

    def block(self, number: int) -> Block | None:
        """A block of the current chain; None if there is none, or it was pruned."""
        return self._blocks.get(number)

    def by_hash(self, block_hash: str) -> Block | None:
        number = self._numbers.get(block_hash)
        return None if number is None else self._blocks.get(number)

    def read(self, name: str, key: Any, at: int | None = None, default: Any = None) -> Any:
        """A value of the storage as of block ``at`` (the best)."""
        return self.store.newest(name).get(key, default) if at is None else self.store.read(name, key, at, default)

    def pending(self) -> Iterator[Extrinsic]:
        return iter(self._pool)

    def is_lost(self, raw: bytes) -> bool:
        """Whether this extrinsic was lost on request: it seems to wait, and is never included."""
        return self._pool.is_lost(raw)

    def next_nonce(self, account: bytes) -> int:
        """The nonce of the account's next extrinsic, counting those in the pool."""
        return self._pool.next_nonce(account, int(self.read("Nonce", account, default=0)))

    def listen(self, listener: Callable[[Block], None]) -> None:
        """Call ``listener`` with every new best block."""
        self._listeners.append(listener)

    def call_at_next_block(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` when the next block is made, and not again."""
        self._waiting.append(callback)

    # -- writing -----------------------------------------------------------------------------------
    def force_storage(self, name: str, key: Any, value: Any) -> None:
        """Set storage directly in the newest block. A reorganisation does not undo it."""
        self._decrees[name, key] = self.best_number, value
        self.store.write(name, key, value, self.best_number)

    def submit(self, extrinsic: Extrinsic, now_s: float) -> None:
        """Take an extrinsic into the pool, or raise `InvalidTransaction`. With block time 0, make a block."""
        if self.refuse_next:
            reason = self.refuse_next
            self.refuse_count -= 1
            if self.refuse_count <= 0:
                self.refuse_next, self.refuse_count = "", 1
            raise InvalidTransaction(reason)
        self.check(extrinsic)
        if self.lose_next:
            self.lose_next -= 1
            self._pool.lose(extrinsic)
            return
        self._pool.add(extrinsic)
        if self.block_time_s == 0:
            self.produce(now_s)

    def empty_pool(self) -> None:
        """Drop all waiting extrinsics, as a pool does when a new runtime makes their signatures invalid."""
        self._pool.refill([])

    def check(self, extrinsic: Extrinsic) -> None:
        """Raise `InvalidTransaction` if the pool would not take it."""
        nonce = int(self.read("Nonce", extrinsic.account, default=0))
        if extrinsic.nonce < nonce:
            raise InvalidTransaction("stale")
        if extrinsic.nonce > nonce + FUTURE_NONCES:
            raise InvalidTransaction("future")
        if extrinsic.dies_after is not None and self.best_number > extrinsic.dies_after:
            raise InvalidTransaction("ancientBirthBlock")
        if int(self.read("Balance", extrinsic.account, default=0)) < FEE:
            raise InvalidTransaction("payment")

    def produce(self, now_s: float) -> Block | None:
        """Make a block of what the pool holds in order of nonces; None while blocks are held."""
        if self.hold_blocks:
            return None
        parent = self._blocks[self.best_number]
        time_ms = max(int(now_s * 1000), parent.time_ms + 1)
        block = Block(parent.number + 1, self._hash(parent.hash, parent.number + 1), parent.hash, time_ms)
        if self._pool:
            self._include(block)
        self._add(block)
        if not self.hold_finality:
            self.finalized_number = max(self.finalized_number, block.number - self.finality_lag)
            if self._decrees:
                final = self.finalized_number
                self._decrees = {key: decree for key, decree in self._decrees.items() if decree[0] > final}
        for listener in self._listeners:
            listener(block)
        called, self._waiting = self._waiting, []
        for callback in called:
            callback()
        return block

    def reorganise(self, depth: int, *, lose: bool = False) -> None:
        """Undo the newest blocks, finalized ones never; their extrinsics go back to the pool unless lost."""
        back_to = max(self.finalized_number, self.best_number - depth)
        self._forks += 1
        returned: list[Extrinsic] = []
        while self.best_number > back_to:
            block = self._blocks.pop(self.best_number)
            del self._numbers[block.hash]
            returned[:0] = block.extrinsics
            self.best_number -= 1
        self.store.undo(back_to)
        for (name, key), (number, value) in self._decrees.items():
            if number > back_to:
                self.force_storage(name, key, value)
        if not lose:
            self._pool.refill([*returned, *self._pool])

    def _include(self, block: Block) -> None:
        nonces = self.store.newest("Nonce")
        waiting = list(self._pool)
        progress = True
        while progress:
            progress, left = False, []
            for extrinsic in waiting:
                if extrinsic.nonce == nonces.get(extrinsic.account, 0) and not self._dead(extrinsic, block):
                    self._apply(extrinsic, block)
                    progress = True
                else:
                    left.append(extrinsic)
            waiting = left
        self._pool.refill(
            extrinsic
            for extrinsic in waiting
            if not self._dead(extrinsic, block) and extrinsic.nonce >= nonces.get(extrinsic.account, 0)
        )

    def _apply(self, extrinsic: Extrinsic, block: Block) -> None:
        index = len(block.extrinsics)
        block.extrinsics.append(extrinsic)
        making = _Making(self.store, block, index)
        error = ""
        call = CALLS.get(extrinsic.call, _nothing)
        try:
            call(making, extrinsic.account, extrinsic.arguments)
        except PalletError as failure:
            error = str(failure)
        block.outcomes[extrinsic] = error
        free = extrinsic.call in NODE_CALLS and not error
        store, number, account = self.store, block.number, extrinsic.account
        store.write("Nonce", account, extrinsic.nonce + 1, number)
        if not free:
            store.write("Balance", account, store.newest("Balance").get(account, 0) - FEE, number)
        pays = "No" if free else "Yes"
        if error:
            block.events.append(Event(index, "System", "ExtrinsicFailed", {"error": error, "pays_fee": pays}))
            return
        for (name, key), value in making.writes.items():
            store.write(name, key, value, number)
        block.events += making.events
        block.events.append(Event(index, "System", "ExtrinsicSuccess", {"pays_fee": pays}))

    @staticmethod
    def _dead(extrinsic: Extrinsic, block: Block) -> bool:
        return extrinsic.dies_after is not None and block.number > extrinsic.dies_after

    def _add(self, block: Block) -> None:
        self._blocks[block.number] = block
        self._numbers[block.hash] = block.number
        self.best_number = block.number
        # Blocks that are not final are kept, even if finality stands still for long.
        while self._first < min(self.best_number - self._history_blocks + 1, self.finalized_number):
            del self._numbers[self._blocks.pop(self._first).hash]
            self._first += 1
            self.store.forget(self._first)

    def _hash(self, parent: str, number: int) -> str:
        text = f"{parent}/{number}/{self._forks}"
        return "0x" + hashlib.blake2b(text.encode(), digest_size=32).hexdigest()


def _nothing(*_: object) -> None:
    """A call of another pallet (``System.remark``): included, paid for, and without effect here."""
