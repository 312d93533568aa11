"""Substrate's subscriptions: heads, storage, the runtime's version, and the status of an extrinsic."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from app.adapters.simulated.ledger_blocks import Block
from app.entrypoints.devchain.endpoint import Endpoint
from app.entrypoints.devchain.rpc import Rpc, header

Updates = Iterator[Any]
IDS = count(1)


@dataclass(slots=True)
class Subscription:
    """``look`` yields the updates since its last call. It can set ``over``."""

    method: str
    look: Callable[[], Updates]
    id: str = field(default_factory=lambda: f"sub-{next(IDS)}")


class Subscriptions:
    """The subscriptions of one connection."""

    def __init__(self, endpoint: Endpoint, rpc: Rpc) -> None:
        self._endpoint = endpoint
        self._rpc = rpc
        self._running: dict[str, Subscription] = {}
        self._kinds: Mapping[str, Callable[..., Subscription]] = {
            "chain_subscribeNewHeads": lambda: self._heads("chain_newHead", finalized=False),
            "chain_subscribeNewHead": lambda: self._heads("chain_newHead", finalized=False),
            "chain_subscribeAllHeads": lambda: self._heads("chain_allHead", finalized=False),
            "chain_subscribeFinalizedHeads": lambda: self._heads("chain_finalizedHead", finalized=True),
            "state_subscribeStorage": self._storage,
            "state_subscribeRuntimeVersion": self._version,
            "author_submitAndWatchExtrinsic": self._extrinsic,
        }

    def begin(self, method: str, params: Sequence[Any]) -> Subscription | None:
        """A new subscription; None if ``method`` is none."""
        make = self._kinds.get(method)
        if make is None:
            return None
        subscription = make(*params)
        self._running[subscription.id] = subscription
        return subscription

    def end(self, method: str, params: Sequence[Any]) -> bool | None:
        """End a subscription; whether there was one. None if ``method`` is no method that ends one."""
        if "_unsubscribe" not in method and method != "author_unwatchExtrinsic":
            return None
        return self._running.pop(str(params[0]), None) is not None if params else False

    def updates(self) -> Iterator[dict[str, Any]]:
        for subscription in tuple(self._running.values()):
            for result in subscription.look():
                params = {"subscription": subscription.id, "result": result}
                yield {"jsonrpc": "2.0", "method": subscription.method, "params": params}

    def _heads(self, method: str, *, finalized: bool) -> Subscription:
        endpoint = self._endpoint
        sent: list[Block] = []

        def look() -> Updates:
            newest = endpoint.finalized if finalized else endpoint.best
            if not sent or sent[0] is not newest:
                for block in _between(endpoint, sent[0] if sent else None, newest):
                    yield header(block)
                sent[:] = [newest]

        return Subscription(method, look)

    def _storage(self, keys: Sequence[str]) -> Subscription:
        known: dict[str, str | None] = {}

        def look() -> Updates:
            block = self._endpoint.best
            values = {key: self._rpc.call("state_getStorage", [key, block.hash]) for key in keys}
            changes = [[key, value] for key, value in values.items() if key not in known or known[key] != value]
            known.update(values)
            if changes:
                yield {"block": block.hash, "changes": changes}

        return Subscription("state_storage", look)

    def _version(self) -> Subscription:
        known: list[Any] = []

        def look() -> Updates:
            version = self._rpc.call("state_getRuntimeVersion", [])
            if known != [version]:
                known[:] = [version]
                yield version

        return Subscription("state_runtimeVersion", look)

    def _extrinsic(self, raw: str) -> Subscription:
        before = self._endpoint.best.number
        data = self._rpc.submit(raw)
        watch = _Watch(self._endpoint, data, before)
        subscription = Subscription("author_extrinsicUpdate", watch.look)
        watch.over = lambda: self._running.pop(subscription.id, None)
        return subscription


class _Watch:
    """Follows one extrinsic: ready, in a block, retracted, finalized, or dropped from the pool."""

    def __init__(self, endpoint: Endpoint, raw: bytes, since: int) -> None:
        self._endpoint = endpoint
        self._ledger = endpoint.node.ledger
        self._raw = raw
        self._since = since
        self._sent_ready = False
        self._block: Block | None = None
        self.over: Callable[[], object] = lambda: None

    def look(self) -> Updates:
        if not self._sent_ready:
            self._sent_ready = True
            yield "ready"
        if self._block is not None and self._endpoint.block_of(self._block.hash) is None:
            yield {"retracted": self._block.hash}
            self._since = min(self._since, self._block.number - 1)
            self._block = None
        if self._block is None:
            self._block = self._find()
            if self._block is not None:
                yield {"inBlock": self._block.hash}
            elif not self._waits() and not self._lags() and not self._ledger.is_lost(self._raw):
                yield "invalid"
                self.over()
        if self._block is not None and self._block.number <= self._endpoint.finalized.number:
            yield {"finalized": self._block.hash}
            self.over()

    def _find(self) -> Block | None:
        for number in range(self._since + 1, self._endpoint.best.number + 1):
            block = self._endpoint.block(number)
            if block is not None and any(extrinsic.raw == self._raw for extrinsic in block.extrinsics):
                return block
        return None

    def _lags(self) -> bool:
        """Whether it may be in a block that this node does not know yet."""
        return self._endpoint.lag_blocks > 0

    def _waits(self) -> bool:
        return any(waiting.raw == self._raw for waiting in self._ledger.pending())


def _between(endpoint: Endpoint, sent: Block | None, newest: Block) -> Iterator[Block]:
    first = newest.number if sent is None else min(sent.number + 1, newest.number)
    for number in range(first, newest.number + 1):
        block = endpoint.block(number)
        if block is not None:
            yield block
