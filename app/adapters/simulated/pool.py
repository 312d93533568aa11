"""The transaction pool of a simulated chain: extrinsics that wait for a block, and those that were lost on request."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator

from app.adapters.simulated.ledger_blocks import Extrinsic

LOST_REMEMBERED = 64


class Pool:
    """Extrinsics in order of arrival, with an index of the waiting nonces."""

    def __init__(self) -> None:
        self._waiting: list[Extrinsic] = []
        self._nonces: Counter[tuple[bytes, int]] = Counter()
        self._lost: deque[bytes] = deque(maxlen=LOST_REMEMBERED)

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Extrinsic]:
        return iter(self._waiting)

    def add(self, extrinsic: Extrinsic) -> None:
        self._waiting.append(extrinsic)
        self._nonces[extrinsic.account, extrinsic.nonce] += 1

    def refill(self, extrinsics: Iterable[Extrinsic]) -> None:
        self._waiting = list(extrinsics)
        self._nonces = Counter((waiting.account, waiting.nonce) for waiting in self._waiting)

    def next_nonce(self, account: bytes, nonce: int) -> int:
        """The first from ``nonce`` on that does not wait here."""
        while self._nonces[account, nonce]:
            nonce += 1
        return nonce

    def lose(self, extrinsic: Extrinsic) -> None:
        """Lose this extrinsic: it seems to wait, and is never included."""
        self._lost.append(extrinsic.raw)

    def is_lost(self, raw: bytes) -> bool:
        return raw in self._lost
