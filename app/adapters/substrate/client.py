"""The chain client of a process: a connection, and the runtime whose metadata explains the chain's bytes.

All adapters of this package share one client, since a runtime's metadata takes 30 MiB. When an endpoint
fails, another one is asked, for every question that can be asked twice.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from app.adapters.substrate.answers import RuntimeVersion
from app.adapters.substrate.endpoints import ATTEMPTS, Endpoints
from app.adapters.substrate.rpc import OnAnswer, RpcConnection, not_measured
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
"""To read a runtime's metadata takes half a second on a fast machine, and many seconds on a busy slow one."""


class SubstrateClient:
    """The client connects when it is first used. The caller must close it.

    ``timeout_s`` bounds every request, ``connect_timeout_s`` every attempt to connect. If a subscription is
    silent for ``keepalive_s``, the client sends a small request to see whether the node lives. If the best
    head is older than ``stale_head_s``, or the finalized head older than ``stale_finalized_s``, the client
    tries another endpoint. ``on_answer`` is called for every answer. With an empty ``genesis_hash``, the
    chain of the first endpoint is used.
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
        on_answer: OnAnswer = not_measured,
    ) -> None:
        self.endpoints = Endpoints(
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
        """Close the connection and end the threads. Callers that still wait get `ChainUnavailable`."""
        self.endpoints.close()
        self._worker.close()

    async def ask(self, question: Callable[[RpcConnection], Awaitable[Result]]) -> Result:
        """Ask one endpoint, and others if it fails. Only for questions that can be asked twice.

        If an existing connection fails, a new one is tried, even to the only endpoint, since an idle
        connection may have been dropped. Raises `ChainUnavailable`.
        """
        fresh = 0
        while True:
            old = self.endpoints.current
            connection = await self.endpoints.connection()
            fresh += connection is not old
            try:
                answer = await question(connection)
            except RpcRefused as error:
                problem = EndpointFailed(connection.name, str(error))
            except EndpointFailed as error:
                problem = error
            else:
                self.endpoints.succeeded()
                return answer
            self.endpoints.failed(connection, problem.reason)
            if fresh >= min(len(self.endpoints), ATTEMPTS):
                raise problem

    async def ask_elsewhere(self, question: Callable[[RpcConnection], Awaitable[Result | None]]) -> Result | None:
        """Ask the endpoints that are not in use, one after the other, until an answer is not None."""
        for endpoint in self.endpoints.others():
            try:
                async with self.endpoints.visit(endpoint) as connection:
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
        """The outcomes of that block. They are read once for all waiting extrinsics; the last block's are cached."""
        async with self._reading_block:
            known = self._block
            if known is None or known[0] != block_hash:
                found = await read()
                known = self._block = None if found is None else (block_hash, found)
            return None if known is None else known[1]

    async def compute(self, job: Callable[[], Result]) -> Result:
        """Run a job in the thread of the chain library."""
        return await self._worker.run(job, COMPUTING_S_MAX)

    async def decode(self, job: Callable[[], Result]) -> Result:
        """As `compute`. Bytes that do not fit the metadata raise `ChainUnavailable`."""
        try:
            return await self.compute(job)
        except (ValueError, KeyError, TypeError) as error:
            raise ChainUnavailable(f"the chain's answer can't be decoded: {error}") from error

    def is_stale(self, head: Head) -> bool:
        """Whether the head is older than the limit for its kind."""
        return self._age_s(head) > self._age_s_max(head)

    def saw_head(self, head: Head) -> bool:
        """Take note of a head that was read. True if its node is behind, so that another is asked next."""
        if not self.is_stale(head):
            self.endpoints.fresh()
            return False
        return self.endpoints.lagging(self._age_s(head))

    def _age_s(self, head: Head) -> float:
        return time.time() - head.time_s

    def _age_s_max(self, head: Head) -> float:
        return self._stale_head_s if head.kind is HeadKind.BEST else self._stale_finalized_s

    async def any_runtime(self, connection: RpcConnection, block_hash: str | None = None) -> Runtime:
        """The runtime in memory; if there is none, that of the block's state (None: of the best head's)."""
        if self._runtime is not None:
            return self._runtime
        if block_hash is None:
            # Ask by the hash, since an upgrade may come between version and metadata.
            block_hash = await connection.ask_for(str, "chain_getHead")
        version = await connection.ask_for(RuntimeVersion, "state_getRuntimeVersion", block_hash)
        return await self.runtime(connection, version.spec_version, block_hash)

    async def runtime(self, connection: RpcConnection, spec_version: int, block_hash: str) -> Runtime:
        """The runtime of that version. ``block_hash`` is a block whose state has its code.

        Only one runtime is kept in memory, since upgrades are rare.
        """
        async with self._loading:
            known = self._runtime
            if known is None or known.spec_version != spec_version:
                metadata = await connection.ask_for(str, "state_getMetadata", block_hash)
                if known is not None:
                    known = self._runtime = None
                    await self.compute(gc.collect)  # it is large, and has reference cycles
                known = await self.compute(lambda: self._load(connection.name, spec_version, metadata))
                self._runtime = known
            return known

    def _load(self, endpoint: str, spec_version: int, metadata: str) -> Runtime:
        # Imported here, in the worker's thread, since it takes half a second and 40 MiB.
        from app.adapters.substrate.runtime import Runtime

        try:
            return Runtime(spec_version, metadata, self.endpoints.genesis_hash)
        except WrongChain as error:
            raise WrongChain(f"{endpoint} can't be used: {error}") from error
        except Exception as error:
            # The library raises errors of many types.
            reason = f"the metadata of its runtime {spec_version} can't be read: {error!r}"
            raise EndpointFailed(endpoint, reason) from error
