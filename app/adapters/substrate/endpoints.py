"""Chooses the endpoint that is asked: one of a list, on the right chain, until it fails.

The connection in use is kept until it fails: to answer, to keep up with the chain, or to bring extrinsics
onto it. Then the endpoints are tried in order: first those that have not failed lately, then the others by
the end of their pause. An endpoint in its pause is tried last, but it is tried, since the caller has
waited already.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from app.adapters.substrate.endpoint import LAGGING_PAUSE_S, Endpoint, Kind, name_of
from app.adapters.substrate.rpc import OnAnswer, RpcConnection
from app.adapters.substrate.rpc_errors import EndpointFailed, RpcRefused
from app.domain.errors import ChainUnavailable, WrongChain

ATTEMPTS = 3
"""How many endpoints are tried for one request, so that a long list of dead ones does not take minutes."""
WRONG_CHAIN_PAUSE_S = 300.0

log = logging.getLogger(__name__)


class Endpoints:
    """Makes connections. If ``genesis_hash`` is empty, the chain of the first node that answers is used."""

    def __init__(
        self,
        urls: Sequence[str],
        *,
        timeout_s: float,
        connect_timeout_s: float,
        keepalive_s: float,
        genesis_hash: str,
        on_answer: OnAnswer,
    ) -> None:
        if not urls:
            raise ValueError("a chain endpoint is needed, such as wss://host:port")
        self.genesis_hash = genesis_hash.lower()
        self._endpoints = [Endpoint(url, name_of(url)) for url in urls]
        self._timeout_s = timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._keepalive_s = keepalive_s
        self._on_answer = on_answer
        self._in_use: Endpoint = self._endpoints[0]
        self._connection: RpcConnection | None = None
        self._turn = asyncio.Lock()
        self._transient: set[RpcConnection] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._endpoints)

    @property
    def current(self) -> RpcConnection | None:
        """The connection in use, if it is still open."""
        return self._connection if self._connection is not None and self._connection.usable else None

    async def connection(self) -> RpcConnection:
        """The connection in use, or a new one to the best endpoint.

        Raises `ChainUnavailable` with every endpoint that was tried and its reason, and `WrongChain` when
        all that answered serve another chain.
        """
        async with self._turn:
            if self.current is None:
                self._connection = await self._connect()
            assert self._connection is not None
            return self._connection

    def failed(self, connection: RpcConnection, reason: str) -> None:
        """Close this failed connection, and prefer other endpoints for a while."""
        connection.close(reason)
        if connection is not self._connection:
            return
        self._connection = None
        self._in_use.failed(Kind.ANSWERS, reason)
        log.warning("the chain at %s failed: %s", self._in_use.name, reason)

    def succeeded(self) -> None:
        """The connection in use answered."""
        self._in_use.succeeded(Kind.ANSWERS)

    def fresh(self) -> None:
        """The head of the node in use is recent."""
        self._in_use.succeeded(Kind.HEAD)

    def lagging(self, age_s: float) -> bool:
        """The node in use is behind: ask another next, unless all are in their pause. Returns whether one is."""
        others = self._available()
        if not others or self.current is None:
            return False
        log.warning("the head of %s is %.0f s old: trying another endpoint", self._in_use.name, age_s)
        self._in_use.failed(Kind.HEAD, "its head is too old", LAGGING_PAUSE_S)
        self._close_current("its head is too old")
        return True

    def did_not_deliver(self, endpoint: Endpoint, reason: str) -> None:
        """Prefer others for everything, since this endpoint did not bring an extrinsic onto the chain."""
        if len(self._endpoints) == 1:
            return
        endpoint.failed(Kind.WRITES, reason, LAGGING_PAUSE_S)
        log.warning("the chain at %s %s", endpoint.name, reason)
        if endpoint is self._in_use and self._available():
            self._close_current(f"it {reason}")

    def avoid(self, endpoint: Endpoint) -> None:
        """Prefer others for a while, without a failure of this endpoint."""
        endpoint.pause_until_s = max(endpoint.pause_until_s, time.monotonic() + LAGGING_PAUSE_S)
        if endpoint is self._in_use and self._available():
            self._close_current("another endpoint is asked")

    def ask_another(self) -> None:
        """Prefer other endpoints, since the one in use is behind them."""
        if self.current is not None:
            self.avoid(self._in_use)

    def of(self, connection: RpcConnection) -> Endpoint:
        return next(endpoint for endpoint in self._endpoints if endpoint.url == connection.url)

    def all(self) -> Sequence[Endpoint]:
        """In the order of the settings."""
        return self._endpoints

    def others(self, but: Endpoint | None = None) -> Sequence[Endpoint]:
        """The endpoints but this one (None: the one in use), the best first."""
        but, now_s = but or self._in_use, time.monotonic()
        return sorted((each for each in self._endpoints if each is not but), key=lambda each: each.rank(now_s))

    def _available(self) -> Sequence[Endpoint]:
        """The other endpoints that are not in their pause."""
        now_s = time.monotonic()
        return [each for each in self._endpoints if each is not self._in_use and each.pause_until_s <= now_s]

    def _close_current(self, reason: str) -> None:
        if self._connection is not None:
            self._connection.close(reason)
            self._connection = None

    @asynccontextmanager
    async def visit(self, endpoint: Endpoint) -> AsyncIterator[RpcConnection]:
        """The connection in use, if it is to this endpoint, else a new one. Raises `EndpointFailed`, `WrongChain`."""
        if endpoint is self._in_use and self.current is not None:
            yield self.current
            return
        connection = await self._open(endpoint)
        self._transient.add(connection)
        try:
            yield connection
        finally:
            self._transient.discard(connection)
            connection.close()

    def close(self) -> None:
        """Close all connections, and refuse new ones."""
        self._closed = True
        for connection in (*self._transient, *filter(None, [self._connection])):
            connection.close()

    async def _connect(self) -> RpcConnection:
        now_s = time.monotonic()
        ordered = sorted(self._endpoints, key=lambda each: each.rank(now_s))
        problems: list[ChainUnavailable | WrongChain] = []
        for endpoint in ordered[:ATTEMPTS]:
            try:
                connection = await self._open(endpoint)
            except WrongChain as error:
                endpoint.failed(Kind.ANSWERS, "it serves another chain", WRONG_CHAIN_PAUSE_S)
                problems.append(error)
            except EndpointFailed as error:
                endpoint.failed(Kind.ANSWERS, error.reason)
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
            endpoint.url,
            endpoint.name,
            timeout_s=self._timeout_s,
            keepalive_s=self._keepalive_s,
            on_answer=self._on_answer,
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
                f"and powerd uses the one with {self.genesis_hash}; correct chain.urls"
            )
