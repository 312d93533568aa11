"""The chain as one process knows it: a connection, and the runtime that explains its bytes.

All adapters of this package share one client, since a runtime's metadata costs 30 MiB. What may be
asked twice is asked again elsewhere when an endpoint fails.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, TypeVar

from app.adapters.substrate.answers import RuntimeVersion
from app.adapters.substrate.endpoint import Endpoint
from app.adapters.substrate.endpoints import ATTEMPTS, Endpoints
from app.adapters.substrate.rpc import OnAnswer, RpcConnection, unheard
from app.adapters.substrate.rpc_errors import EndpointFailed, RpcRefused
from app.adapters.substrate.worker import Worker
from app.domain.errors import ChainUnavailable, WrongChain
from app.domain.model import Head, HeadKind

if TYPE_CHECKING:
    from app.adapters.substrate.outcomes import BlockOutcomes
    from app.adapters.substrate.runtime import Runtime

Result = TypeVar("Result")

log = logging.getLogger(__name__)

COMPUTING_S_MAX = 60.0
"""Reading a runtime's metadata takes half a second on a fast machine, and many on a busy slow one."""


class SubstrateClient:
    """Connects when first used. Close it at the end.

    ``timeout_s`` bounds every single request, ``connect_timeout_s`` every attempt to connect; a node
    that has been silent in a subscription for ``keepalive_s`` is asked for a sign of life. A best
    head older than ``stale_head_s`` makes it look at another endpoint, where there is one, and so does
    a finalized head older than ``stale_finalized_s``. ``on_answer`` hears of every answer. An empty
    ``genesis_hash`` takes the first endpoint's chain for the right one.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        timeout_s: float = 10.0,
        connect_timeout_s: float = 5.0,
        keepalive_s: float = 15.0,
        genesis_hash: str = "",
        stale_head_s: float = 60.0,
        stale_finalized_s: float = 120.0,
        on_answer: OnAnswer = unheard,
    ) -> None:
        self._endpoints = Endpoints(
            urls,
            timeout_s=timeout_s,
            connect_timeout_s=connect_timeout_s,
            keepalive_s=keepalive_s,
            genesis_hash=genesis_hash,
            on_answer=on_answer,
        )
        self._stale_head_s = stale_head_s
        self._stale_finalized_s = stale_finalized_s
        self._worker = Worker("powerd-chain-codec")
        self._runtime: Runtime | None = None
        self._loading = asyncio.Lock()
        self._reading_block = asyncio.Lock()
        self._block: tuple[str, BlockOutcomes] | None = None

    async def close(self) -> None:
        """Let go of the connection and the threads; callers that still wait get `ChainUnavailable`."""
        self._endpoints.close()
        self._worker.close()

    async def ask(self, question: Callable[[RpcConnection], Awaitable[Result]]) -> Result:
        """Ask one endpoint, and others if it fails; only for what may be asked twice.

        A connection that stood before and fails now is made anew once, even where there is only
        one endpoint: it may just have died of old age. Raises `ChainUnavailable`.
        """
        fresh = 0
        while True:
            old = self._endpoints.current
            connection = await self._endpoints.connection()
            fresh += connection is not old
            try:
                answer = await question(connection)
            except RpcRefused as error:
                problem = EndpointFailed(connection.name, str(error))
            except EndpointFailed as error:
                problem = error
            else:
                self._endpoints.succeeded()
                return answer
            self._endpoints.failed(connection, problem.reason)
            if fresh >= min(len(self._endpoints), ATTEMPTS):
                raise problem

    async def ask_elsewhere(self, question: Callable[[RpcConnection], Awaitable[Result | None]]) -> Result | None:
        """The first answer that is not None of the endpoints that are not in use, each on a visit."""
        for endpoint in self._endpoints.others():
            try:
                async with self._endpoints.visit(endpoint) as connection:
                    answer = await question(connection)
            except (EndpointFailed, RpcRefused, WrongChain) as error:
                log.info("%s", error)
                continue
            if answer is not None:
                return answer
        return None

    async def block_outcomes(
        self, block_hash: str, read: Callable[[], Awaitable[BlockOutcomes | None]]
    ) -> BlockOutcomes | None:
        """Those of that block: read once for all extrinsics of it that are waited for, and the last block is kept."""
        async with self._reading_block:
            known = self._block
            if known is None or known[0] != block_hash:
                found = await read()
                known = self._block = None if found is None else (block_hash, found)
            return None if known is None else known[1]

    async def compute(self, job: Callable[[], Result]) -> Result:
        """Run what needs the chain library in its thread."""
        return await self._worker.run(job, COMPUTING_S_MAX)

    async def decode(self, job: Callable[[], Result]) -> Result:
        """As `compute`; bytes that are not what the metadata says are `ChainUnavailable`."""
        try:
            return await self.compute(job)
        except (ValueError, KeyError, TypeError) as error:
            raise ChainUnavailable(f"the chain holds something that can't be read: {error}") from error

    def is_stale(self, head: Head) -> bool:
        """Whether it is older than a head of its kind may be."""
        return self._age_s(head) > self._age_s_max(head)

    def saw_head(self, head: Head) -> bool:
        """This head was read: True when its node is behind, and another is asked next."""
        if not self.is_stale(head):
            self._endpoints.fresh()
            return False
        return self._endpoints.lagging(self._age_s(head))

    def _age_s(self, head: Head) -> float:
        return time.time() - head.time_s

    def _age_s_max(self, head: Head) -> float:
        return self._stale_head_s if head.kind is HeadKind.BEST else self._stale_finalized_s

    def endpoint_of(self, connection: RpcConnection) -> Endpoint:
        return self._endpoints.of(connection)

    def all_endpoints(self) -> Sequence[Endpoint]:
        """In the order of the settings."""
        return self._endpoints.all()

    def others(self, endpoint: Endpoint | None = None) -> Sequence[Endpoint]:
        """All endpoints but this one, or but the one in use; the best first."""
        return self._endpoints.others(endpoint)

    def visit(self, endpoint: Endpoint) -> AbstractAsyncContextManager[RpcConnection]:
        """A connection to this endpoint, whichever is in use; raises `EndpointFailed`, `WrongChain`."""
        return self._endpoints.visit(endpoint)

    def turn_from(self, endpoint: Endpoint) -> None:
        """What was signed by its facts is refused everywhere: sign the next by those of another."""
        self._endpoints.turn_from(endpoint)

    def ask_another(self) -> None:
        """The node in use is behind what another one said."""
        if (connection := self._endpoints.current) is not None:
            self._endpoints.turn_from(self._endpoints.of(connection))

    def struck(self, endpoint: Endpoint, reason: str) -> None:
        """It did not bring an extrinsic onto the chain, where another might have: prefer others from now on."""
        if self._endpoints.others(endpoint):
            self._endpoints.struck(endpoint, reason)

    def saw_no_head(self, waited_s: float) -> None:
        """No new head came in that time."""
        self._endpoints.lagging(waited_s)

    async def any_runtime(self, connection: RpcConnection, block_hash: str | None = None) -> Runtime:
        """The runtime in memory, else the one of that block's state, or of the best head's."""
        if self._runtime is not None:
            return self._runtime
        if block_hash is None:
            # By its hash: an upgrade may come between the version and the metadata.
            block_hash = await connection.ask_for(str, "chain_getHead")
        version = await connection.ask_for(RuntimeVersion, "state_getRuntimeVersion", block_hash)
        return await self.runtime(connection, version.spec_version, block_hash)

    async def runtime(self, connection: RpcConnection, spec_version: int, block_hash: str) -> Runtime:
        """The runtime of that version; ``block_hash`` is a block in whose state it is the code.

        Only one is kept: the chain has one at a time, and an upgrade is rare.
        """
        async with self._loading:
            known = self._runtime
            if known is None or known.spec_version != spec_version:
                metadata = await connection.ask_for(str, "state_getMetadata", block_hash)
                if known is not None:
                    known = self._runtime = None
                    await self.compute(gc.collect)  # it lies in reference cycles, and is large
                known = await self.compute(lambda: self._load(connection.name, spec_version, metadata))
                self._runtime = known
            return known

    def _load(self, endpoint: str, spec_version: int, metadata: str) -> Runtime:
        # Here, in the worker's thread: it costs half a second and 40 MiB.
        from app.adapters.substrate.runtime import Runtime

        try:
            return Runtime(spec_version, metadata, self._endpoints.genesis_hash)
        except WrongChain as error:
            raise WrongChain(f"{endpoint} can't be used: {error}") from error
        except Exception as error:
            # The library raises whatever its parsing trips over.
            reason = f"the metadata of its runtime {spec_version} can't be read: {error!r}"
            raise EndpointFailed(endpoint, reason) from error
