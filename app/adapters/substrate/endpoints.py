"""Which node is asked: one of a list, on the right chain, changed when it fails.

The connection in use is kept until it fails. Then the endpoints are tried in order: those that have
not failed lately first, the others by the end of their pause. A pause only orders, it never refuses:
whoever asks has waited already.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.adapters.substrate.rpc import RpcConnection
from app.adapters.substrate.rpc_errors import EndpointFailed, RpcRefused
from app.domain.errors import ChainUnavailable, WrongChain

ATTEMPTS = 3
"""Endpoints tried for one request: a long list of dead ones must not take minutes."""
PAUSE_S_MIN = 1.0
PAUSE_S_MAX = 60.0
WRONG_CHAIN_PAUSE_S = 300.0
LAGGING_PAUSE_S = 60.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Endpoint:
    """One of the list, and how it has done lately (times are monotonic seconds)."""

    url: str
    name: str
    failures: int = 0
    pause_until_s: float = 0.0

    def pause(self, seconds: float) -> None:
        """Prefer others for a while."""
        self.pause_until_s = time.monotonic() + seconds


def name_of(url: str) -> str:
    """Scheme, host and port: user, password, path and query may be secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


class Endpoints:
    """Gives connections. ``genesis_hash`` may be empty: then the first node's chain is the right one."""

    def __init__(
        self, urls: Sequence[str], *, timeout_s: float, connect_timeout_s: float, keepalive_s: float, genesis_hash: str
    ) -> None:
        if not urls:
            raise ValueError("a chain endpoint is needed, such as wss://host:port")
        self.genesis_hash = genesis_hash.lower()
        self._endpoints = [Endpoint(url, name_of(url)) for url in urls]
        self._timeout_s = timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._keepalive_s = keepalive_s
        self._in_use: Endpoint = self._endpoints[0]
        self._connection: RpcConnection | None = None
        self._turn = asyncio.Lock()
        self._transient: set[RpcConnection] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._endpoints)

    @property
    def current(self) -> RpcConnection | None:
        """The connection in use, if it still stands."""
        return self._connection if self._connection is not None and self._connection.usable else None

    async def connection(self) -> RpcConnection:
        """The connection in use, or a new one to the best endpoint.

        Raises `ChainUnavailable` naming every endpoint that was tried and why it failed, and
        `WrongChain` when all that answered serve another chain.
        """
        async with self._turn:
            if self.current is None:
                self._connection = await self._connect()
            assert self._connection is not None
            return self._connection

    def failed(self, connection: RpcConnection, reason: str) -> None:
        """This connection is of no use: end it, and prefer other endpoints for a while."""
        connection.close(reason)
        if connection is not self._connection:
            return
        self._connection = None
        self._in_use.failures += 1
        self._in_use.pause(min(PAUSE_S_MIN * 2 ** min(self._in_use.failures - 1, 16), PAUSE_S_MAX))
        log.warning("the chain at %s failed: %s", self._in_use.name, reason)

    def succeeded(self) -> None:
        """The connection in use answered."""
        self._in_use.failures = 0

    def lagging(self, age_s: float) -> None:
        """The node in use is behind: ask another next, unless they all were a moment ago."""
        now_s = time.monotonic()
        others = [e for e in self._endpoints if e is not self._in_use and e.pause_until_s <= now_s]
        if others and self._connection is not None:
            log.warning("the head of %s is %.0f s old: trying another endpoint", self._in_use.name, age_s)
            self._in_use.pause(LAGGING_PAUSE_S)
            self._connection.close("its head is too old")
            self._connection = None

    def others(self) -> Sequence[Endpoint]:
        """The endpoints that are not in use."""
        return [endpoint for endpoint in self._endpoints if endpoint is not self._in_use]

    @asynccontextmanager
    async def visit(self, endpoint: Endpoint) -> AsyncIterator[RpcConnection]:
        """A connection of its own, for one question; raises `EndpointFailed`, `WrongChain`."""
        connection = await self._open(endpoint)
        self._transient.add(connection)
        try:
            yield connection
        finally:
            self._transient.discard(connection)
            connection.close()

    def close(self) -> None:
        """End the connection, and make no new one."""
        self._closed = True
        for connection in (*self._transient, *filter(None, [self._connection])):
            connection.close()

    async def _connect(self) -> RpcConnection:
        now_s = time.monotonic()
        ordered = sorted(self._endpoints, key=lambda e: max(e.pause_until_s, now_s))
        problems: list[ChainUnavailable | WrongChain] = []
        for endpoint in ordered[:ATTEMPTS]:
            try:
                connection = await self._open(endpoint)
            except WrongChain as error:
                endpoint.pause(WRONG_CHAIN_PAUSE_S)
                problems.append(error)
            except EndpointFailed as error:
                endpoint.failures += 1
                endpoint.pause(min(PAUSE_S_MIN * 2 ** min(endpoint.failures - 1, 16), PAUSE_S_MAX))
                problems.append(error)
            else:
                self._in_use = endpoint
                return connection
            log.warning("%s", problems[-1])
        if all(isinstance(problem, WrongChain) for problem in problems):
            raise problems[0]
        raise ChainUnavailable("; ".join(str(problem) for problem in problems))

    async def _open(self, endpoint: Endpoint) -> RpcConnection:
        if self._closed:
            raise EndpointFailed(endpoint.name, "the chain client is closed")
        connection = RpcConnection(
            endpoint.url, endpoint.name, timeout_s=self._timeout_s, keepalive_s=self._keepalive_s
        )
        self._transient.add(connection)
        try:
            await connection.open(self._connect_timeout_s)
            await self._check_chain(connection)
        except BaseException:
            connection.close()
            raise
        finally:
            self._transient.discard(connection)
        return connection

    async def _check_chain(self, connection: RpcConnection) -> None:
        try:
            genesis = await connection.call("chain_getBlockHash", 0)
        except RpcRefused as error:
            raise EndpointFailed(connection.name, str(error)) from error
        if not isinstance(genesis, str):
            raise EndpointFailed(connection.name, f"its genesis hash is {genesis!r}")
        if not self.genesis_hash:
            self.genesis_hash = genesis.lower()
        if genesis.lower() != self.genesis_hash:
            raise WrongChain(
                f"{connection.name} serves the chain with genesis {genesis}, "
                f"and powerd works on the one with {self.genesis_hash}; correct the list of endpoints"
            )
