"""Sending one account's extrinsics, and knowing for each what became of it.

Theory of operation. One extrinsic at a time gets its nonce, is signed and is handed to a pool (a
turn), so nonces never collide; waiting for inclusion is outside the turn. From the moment it may
have left this machine there are four ends: included and successful; included and failed; refused
by the pool or expired, so it never will be; or uncertain. Whenever the node that took it can't tell
any more, the blocks are searched, through whichever endpoint answers, until the era ends or the
time is up. Nothing is ever submitted a second time here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from app.adapters.substrate.answers import Header, RuntimeVersion, read
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.inclusion import Signed, outcome_in, search
from app.adapters.substrate.keys import SigningKey
from app.adapters.substrate.refusals import is_refusal, reason_of
from app.adapters.substrate.rpc import RpcConnection
from app.adapters.substrate.rpc_errors import EndpointFailed, RpcRefused
from app.adapters.substrate.subscription import Subscription
from app.domain.blocks import BlockRef
from app.domain.errors import ChainUnavailable, ExtrinsicRefused, ExtrinsicUncertain, WrongChain
from app.domain.model import Inclusion

Arguments = Callable[[], dict[str, Any]]
"""Makes the call's arguments; called right before signing, anew for every attempt to sign."""

ERA_BLOCKS = (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
"""Periods for which an era begins at the very block that is current."""
SEARCH_PAUSE_S_MIN = 0.1
SEARCH_PAUSE_S_MAX = 2.0
IN_BLOCK = ("inBlock", "finalized")
LAST_WORDS = ("dropped", "invalid", "usurped", "finalityTimeout", "error")
"""Updates after which the node tells nothing more (``sc-transaction-pool``'s TransactionStatus)."""


class Extrinsics:
    """Sends calls of ``TfgridModule`` signed by one key."""

    def __init__(
        self, client: SubstrateClient, key: SigningKey, *, inclusion_timeout_s: float, era_blocks: int
    ) -> None:
        if era_blocks not in ERA_BLOCKS:
            raise ValueError(f"an era of {era_blocks} blocks: use a power of two from 4 to 4096")
        self._client = client
        self._key = key
        self._inclusion_timeout_s = inclusion_timeout_s
        self._era_blocks = era_blocks
        self._turn = asyncio.Lock()

    async def include(self, call: str, arguments: Arguments) -> Inclusion:
        """Send it and wait until it is included; errors as `ChainWriter` says."""
        async with self._turn:
            connection, signed = await self._client.ask(lambda c: self._sign(c, call, arguments))
            try:
                watch = await self._submit_and_watch(connection, signed)
            except EndpointFailed:
                watch = None  # it may have reached the pool all the same
        try:
            async with asyncio.timeout(self._inclusion_timeout_s):
                if watch is not None and (inclusion := await self._watch(connection, watch, signed)):
                    return inclusion
                return await self._search(signed)
        except TimeoutError:
            waited = f"{self._inclusion_timeout_s:g} s"
            raise ExtrinsicUncertain(f"{call} was sent, and was not seen in a block within {waited}") from None

    async def announce(self, call: str, arguments: Arguments) -> None:
        """Hand it to a pool, and return; `ExtrinsicUncertain` when it is not known to have got there."""
        async with self._turn:
            connection, signed = await self._client.ask(lambda c: self._sign(c, call, arguments))
            connection.check()
            try:
                await connection.call("author_submitExtrinsic", signed.data)
            except RpcRefused as error:
                raise _refusal(connection, call, error) from error
            except EndpointFailed as error:
                raise ExtrinsicUncertain(f"{call} was sent, and {error}") from error

    async def _sign(self, connection: RpcConnection, call: str, arguments: Arguments) -> tuple[RpcConnection, Signed]:
        address = await self._client.compute(lambda: self._key.address)
        best_hash = await connection.ask_for(str, "chain_getHead")
        answers = await connection.batch(
            [
                ("chain_getHeader", [best_hash]),
                ("state_getRuntimeVersion", [best_hash]),
                ("system_accountNextIndex", [address]),
            ]
        )
        header = read(connection.name, Header, answers[0])
        version = read(connection.name, RuntimeVersion, answers[1])
        nonce = read(connection.name, int, answers[2])
        # The code in the best block's state is what will execute the next block.
        runtime = await self._client.runtime(connection, version.spec_version, best_hash)
        birth = BlockRef(header.height, best_hash)
        values = arguments()

        def sign() -> str:
            return runtime.sign(
                call,
                values,
                self._key,
                nonce=nonce,
                birth=birth,
                period=self._era_blocks,
                transaction_version=version.transaction_version,
            )

        return connection, Signed(call, await self._client.compute(sign), birth, self._era_blocks)

    async def _submit_and_watch(self, connection: RpcConnection, signed: Signed) -> Subscription:
        """`ExtrinsicRefused`; `ChainUnavailable` when it was not sent; `EndpointFailed` if it may have been."""
        if not connection.usable:
            raise ChainUnavailable(f"{signed.call} was not sent: the connection to {connection.name} broke")
        try:
            return await connection.subscribe(
                "author_submitAndWatchExtrinsic", signed.data, end="author_unwatchExtrinsic"
            )
        except RpcRefused as error:
            raise _refusal(connection, signed.call, error) from error

    async def _watch(self, connection: RpcConnection, watch: Subscription, signed: Signed) -> Inclusion | None:
        """Follow what the node says until it is included; None when it can't tell any more.

        Raises `ExtrinsicRefused` or `ExtrinsicUncertain` when it fell out of the pool and is in no block.
        """
        try:
            while True:
                status, detail = _status(await watch.next())
                if status in IN_BLOCK:
                    inclusion = await outcome_in(self._client, connection, str(detail), signed)
                    if inclusion is not None:
                        return inclusion
                elif status in LAST_WORDS:
                    return await self._after_last_word(signed, status)
                # Others: future, ready, broadcast, retracted (a reorganisation; it may come again).
        except (ChainUnavailable, RpcRefused, WrongChain):
            return None
        finally:
            connection.unsubscribe(watch)

    async def _after_last_word(self, signed: Signed, status: str) -> Inclusion | None:
        found = await self._client.ask(lambda c: search(self._client, c, signed))
        if found.inclusion is not None:
            return found.inclusion
        if found.expired:
            raise ExtrinsicRefused(signed.call, "expired")
        if status in ("invalid", "usurped"):
            raise ExtrinsicRefused(signed.call, status)
        if status == "dropped":
            # This pool was full; another that heard of it may still include it.
            raise ExtrinsicUncertain(f"{signed.call} was dropped by the pool; other nodes may still hold it")
        return None

    async def _search(self, signed: Signed) -> Inclusion:
        """Look through new blocks until it is found or its era is over; never returns otherwise."""
        pause_s = SEARCH_PAUSE_S_MIN
        while True:
            try:
                found = await self._client.ask(lambda c: search(self._client, c, signed))
            except (ChainUnavailable, WrongChain):
                found = None  # the caller's deadline ends this
            if found is not None and found.inclusion is not None:
                return found.inclusion
            if found is not None and found.expired:
                raise ExtrinsicRefused(signed.call, "expired")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, SEARCH_PAUSE_S_MAX)


def _status(update: Any) -> tuple[str, Any]:
    """``"ready"`` or ``{"inBlock": "0x…"}``."""
    if isinstance(update, dict) and update:
        return next(iter(update.items()))
    return str(update), None


def _refusal(connection: RpcConnection, call: str, error: RpcRefused) -> Exception:
    if is_refusal(error):
        return ExtrinsicRefused(call, reason_of(error))
    return ChainUnavailable(f"the chain at {connection.name} did not take {call}: {error}")
