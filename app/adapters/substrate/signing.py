"""Signs the extrinsics of one account: the facts for it, the nonce, and how long they are valid.

The era begins at the best head of the endpoint that is asked. With an endpoint that is blocks behind, the
era would be shorter, or over before it begins, and the nonce would be used already. So if its head is not
fresh, the others are asked for theirs, and an endpoint that is behind them is not used.

The result of an earlier extrinsic may be unknown: it may wait in a pool of which other nodes do not know.
Before the next nonce is taken, such an extrinsic is submitted to the endpoint that does not have it. Then
the next one gets a higher nonce, and the chain executes it last.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from app.adapters.libraries.timeouts import timeout
from app.adapters.substrate.answers import Changes, Header, RuntimeVersion, read
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.endpoint import LAGGING_PAUSE_S, Endpoint, Kind
from app.adapters.substrate.inclusion import Signed
from app.adapters.substrate.keys import SigningKey
from app.adapters.substrate.rpc import RpcConnection
from app.adapters.substrate.rpc_errors import EndpointFailed, RpcRefused
from app.adapters.substrate.submissions import submit_over
from app.domain.blocks import BlockRef
from app.domain.errors import ChainUnavailable, ExtrinsicFailed, ExtrinsicRefused, WrongChain
from app.domain.values import value

if TYPE_CHECKING:
    from app.adapters.substrate.runtime import Runtime

Arguments = Callable[[], dict[str, Any]]
"""Makes the call's arguments. It is called right before signing, and again for every attempt."""

ERA_BLOCKS = (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
"""Periods for which an era begins exactly at the current block."""
TIME_KEY = "0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb"
"""The key of ``Timestamp.Now``, a u64 of milliseconds, on every Substrate chain."""
FRESH_S = 15.0
"""With blocks of 6 s, a younger head is the newest block or the one before."""
BEHIND_BLOCKS = 2
SECOND_FACTS_S = 0.7
"""How long the endpoint in use has before others are asked too, for an extrinsic that must be signed soon."""
LOOK_S = 5.0
"""How long the other endpoints have to answer with their height."""


@value
class Facts:
    """What is needed to sign: the block where the era begins, the nonce, and the runtime that will execute it."""

    birth: BlockRef
    nonce: int
    runtime: Runtime
    transaction_version: int


class Signer:
    """Signs calls of ``TfgridModule`` by one key."""

    def __init__(self, client: SubstrateClient, key: SigningKey, era_blocks: int) -> None:
        if era_blocks not in ERA_BLOCKS:
            raise ValueError(f"an era of {era_blocks} blocks: use a power of two from 4 to 4096")
        self._client = client
        self._key = key
        self._era_blocks = era_blocks
        self._unsettled: list[Signed] = []
        self._followed: list[Signed] = []

    async def address(self) -> str:
        return await self._client.compute(lambda: self._key.address)

    @contextmanager
    def following(self, signed: Signed) -> Iterator[None]:
        """Wraps the wait for the result of ``signed``. If it ends without a result, ``signed`` counts as unsettled."""
        self._followed.append(signed)
        try:
            yield
        except (ExtrinsicFailed, ExtrinsicRefused, ChainUnavailable):
            raise
        except BaseException:
            self._unsettled.append(signed)
            raise
        finally:
            self._followed.remove(signed)

    def unsettled_before(self, signed: Signed) -> list[str]:
        """Unsettled extrinsics that may be executed before it, in order."""
        return [each.data for each in self._unsettled if each.nonce < signed.nonce]

    def all_before(self, signed: Signed) -> list[str]:
        """Those, and the ones that are still waited for (such as a report), in order."""
        before = [each for each in (*self._unsettled, *self._followed) if each.nonce < signed.nonce]
        return [each.data for each in sorted(before, key=lambda each: each.nonce)]

    async def facts(self, connection: RpcConnection) -> Facts:
        """The facts. Raises `EndpointFailed` (also for an endpoint behind the others), `RpcRefused`, `WrongChain`."""
        address = await self.address()
        best_hash = await connection.ask_for(str, "chain_getHead")
        answers = await connection.batch(
            [
                ("chain_getHeader", [best_hash]),
                ("state_getRuntimeVersion", [best_hash]),
                ("system_accountNextIndex", [address]),
                ("state_queryStorageAt", [[TIME_KEY], best_hash]),
            ]
        )
        header = read(connection.name, Header, answers[0])
        version = read(connection.name, RuntimeVersion, answers[1])
        nonce = read(connection.name, int, answers[2])
        if _age_s(answers[3]) > FRESH_S:
            await self._check_height(connection, header.height)
        self._unsettled = [each for each in self._unsettled if each.last_block > header.height]
        if unknown := [each.data for each in self._unsettled if each.nonce >= nonce]:
            await submit_over(connection, unknown)
            nonce = await connection.ask_for(int, "system_accountNextIndex", address)
        # A pool that loses extrinsics does not count them.
        while any(each.nonce == nonce for each in self._followed):
            nonce += 1
        # The code in the best block's state executes the next block.
        runtime = await self._client.runtime(connection, version.spec_version, best_hash)
        return Facts(BlockRef(header.height, best_hash), nonce, runtime, version.transaction_version)

    async def sign_by(self, connection: RpcConnection, call: str, arguments: Arguments) -> tuple[RpcConnection, Signed]:
        """Sign by this node's facts. Errors are those of `facts`."""
        return connection, await self.sign(call, arguments, await self.facts(connection))

    async def sign_soon(self, call: str, arguments: Arguments) -> tuple[RpcConnection, Signed]:
        """Sign by the facts of the endpoint in use, or of another one if that is slow."""
        asked = [asyncio.ensure_future(self._client.ask(self._facts_by))]
        problem: Exception = ChainUnavailable(f"{call} was not sent")
        try:
            await asyncio.wait(asked, timeout=SECOND_FACTS_S)
            if not asked[0].done():
                asked += [
                    asyncio.ensure_future(self._facts_on_visit(other)) for other in self._client.endpoints.others()
                ]
            for answer in asyncio.as_completed(asked):
                try:
                    connection, facts = await answer
                except (ChainUnavailable, WrongChain) as error:
                    problem = error
                except RpcRefused as error:
                    problem = ChainUnavailable(f"{call} was not sent: {error}")
                else:
                    return connection, await self.sign(call, arguments, facts)
            raise problem
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

    async def _facts_by(self, connection: RpcConnection) -> tuple[RpcConnection, Facts]:
        return connection, await self.facts(connection)

    async def _facts_on_visit(self, endpoint: Endpoint) -> tuple[RpcConnection, Facts]:
        async with self._client.endpoints.visit(endpoint) as connection:
            return connection, await self.facts(connection)

    async def sign(self, call: str, arguments: Arguments, facts: Facts) -> Signed:
        """Sign the call, with the arguments as they are now."""
        values = arguments()

        def sign() -> str:
            return facts.runtime.sign(
                call,
                values,
                self._key,
                nonce=facts.nonce,
                birth=facts.birth,
                period=self._era_blocks,
                transaction_version=facts.transaction_version,
            )

        return Signed(call, await self._client.compute(sign), facts.birth, self._era_blocks, facts.nonce)

    async def _check_height(self, connection: RpcConnection, height: int) -> None:
        """Compare with other endpoints: either the chain makes no blocks now, or this endpoint is behind."""
        endpoint = self._client.endpoints.of(connection)
        others = self._client.endpoints.others(endpoint)
        heights = await asyncio.gather(*(self._height(other) for other in others))
        ahead = max(heights, default=0) - height
        if ahead >= BEHIND_BLOCKS:
            endpoint.failed(Kind.HEAD, "it is blocks behind another endpoint", LAGGING_PAUSE_S)
            raise EndpointFailed(connection.name, f"it is {ahead} blocks behind another endpoint")

    async def _height(self, endpoint: Endpoint) -> int:
        try:
            async with timeout(LOOK_S), self._client.endpoints.visit(endpoint) as connection:
                return (await connection.ask_for(Header, "chain_getHeader")).height
        except (TimeoutError, EndpointFailed, RpcRefused, WrongChain):
            return 0


def _age_s(answer: Any) -> float:
    """The age of the block with this ``Timestamp.Now``; 0 where the answer has none."""
    try:
        ((_, stored),) = read("", list[Changes], answer)[0].changes
        return time.time() - int.from_bytes(bytes.fromhex((stored or "").removeprefix("0x")), "little") / 1000
    except (EndpointFailed, RpcRefused, ValueError, IndexError):
        return 0.0
