"""Sends the extrinsics of one account, and finds out the result of each.

Theory of operation. One extrinsic at a time gets its nonce, is signed and is submitted to a pool (a
*turn*), so that nonces never collide. The wait for inclusion is outside the turn. Once an extrinsic may
have left this machine, it has one of four results: included and successful; included and failed; refused
or expired, so that it never will be included; or uncertain. When the node that took it cannot say more,
powerd searches the blocks, through any endpoint that answers, until the era ends or the time is up.

A node that answers may still not work. With several endpoints, the same bytes go to others as soon as the
first one refuses them, breaks, or has not brought them into a block after a fifth of the time (two
blocks). The nonce lets the chain execute them only once. powerd then prefers another endpoint. This
module never signs the same call a second time.
"""

from __future__ import annotations

import asyncio
from typing import Any

from app.adapters.libraries.timeouts import timeout
from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.endpoint import Endpoint, Kind
from app.adapters.substrate.inclusion import Signed, outcome_in, search
from app.adapters.substrate.keys import SigningKey
from app.adapters.substrate.refusals import OF_THE_FACTS, is_own, is_there_already, reason_of
from app.adapters.substrate.rpc import RpcConnection
from app.adapters.substrate.rpc_errors import EndpointFailed, RpcRefused
from app.adapters.substrate.signing import Arguments, Signer
from app.adapters.substrate.submissions import Submission, submit, taken, verdict
from app.adapters.substrate.subscription import Subscription
from app.domain.errors import ChainUnavailable, ExtrinsicRefused, ExtrinsicUncertain, WrongChain
from app.domain.model import Inclusion

PATIENCE_OF_TIME = 0.2
PATIENCE_S_MIN = 2.0
SEARCH_PAUSE_S_MIN = 0.1
SEARCH_PAUSE_S_MAX = 2.0
ANNOUNCE_S = 1.5
"""When the daemon stops, it waits for an announcement, for about three seconds in all."""
IN_BLOCK = ("inBlock", "finalized")
FINAL_STATUSES = ("dropped", "invalid", "usurped", "finalityTimeout", "error")
"""Updates after which the node sends no more (``sc-transaction-pool``'s TransactionStatus)."""
METHOD_NOT_FOUND = -32601


class _GivenUp(Exception):
    """The node gave the extrinsic up, and it is in no block so far."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


class Extrinsics:
    """Sends calls of ``TfgridModule`` signed by one key."""

    def __init__(
        self, client: SubstrateClient, key: SigningKey, *, inclusion_timeout_s: float, era_blocks: int
    ) -> None:
        self._client = client
        self._key = key
        self._signer = Signer(client, key, era_blocks)
        self._inclusion_timeout_s = inclusion_timeout_s
        self._patience_s = max(PATIENCE_OF_TIME * inclusion_timeout_s, PATIENCE_S_MIN)
        self._turn = asyncio.Lock()

    async def include(self, call: str, arguments: Arguments) -> Inclusion:
        """Send the call and wait for its inclusion. Errors are those of `ChainWriter`."""
        async with self._turn:
            connection, signed = await self._client.ask(lambda c: self._signer.sign_by(c, call, arguments))
            with self._signer.following(signed):
                watch = await self._submit(connection, signed)
        endpoint = self._client.endpoints.of(connection)
        with self._signer.following(signed):
            try:
                async with timeout(self._inclusion_timeout_s):
                    return await self._follow(endpoint, connection, watch, signed)
            except TimeoutError:
                waited = f"{self._inclusion_timeout_s:g} s"
                self._client.endpoints.did_not_deliver(endpoint, f"brought no {call} into a block within {waited}")
                raise ExtrinsicUncertain(f"{call} was sent, and was not seen in a block within {waited}") from None

    async def announce(self, call: str, arguments: Arguments) -> None:
        """Submit to several pools at once. Raises `ExtrinsicUncertain` when it is not known that one took it."""
        async with self._turn:
            connection, signed = await self._signer.sign_soon(call, arguments)
            first = self._client.endpoints.of(connection)
            datas = [*self._signer.all_before(signed), signed.data]
            submissions = await submit(self._client, datas, [first, *self._client.endpoints.others(first)], ANNOUNCE_S)
            if not taken(submissions):
                raise verdict(call, submissions, self._key.address)

    # -- submission ---------------------------------------------------------------------------------

    async def _submit(self, connection: RpcConnection, signed: Signed) -> Subscription | None:
        """Submit to this node's pool, or to others if it does not take it. None: it must be searched in blocks."""
        endpoint = self._client.endpoints.of(connection)
        sent = connection.usable
        problem: RpcRefused | EndpointFailed
        try:
            async with timeout(self._patience_with(endpoint)):
                return await _submit_and_watch(connection, signed)
        except TimeoutError:
            problem = EndpointFailed(connection.name, f"no answer within {self._patience_s:g} s")
        except EndpointFailed as error:
            problem = error
        except RpcRefused as error:
            if is_there_already(error):
                return None
            problem = error
        submissions = await self._submit_elsewhere(endpoint, signed)
        refused = isinstance(problem, RpcRefused)
        if taken(submissions) or not (isinstance(problem, RpcRefused) and is_own(problem)):
            self._client.endpoints.did_not_deliver(endpoint, f"did not take {signed.call}: {problem}")
        elif reason_of(problem) in OF_THE_FACTS:
            self._client.endpoints.avoid(endpoint)
        if not taken(submissions) and (refused or not sent):
            raise verdict(signed.call, [Submission(endpoint, problem, sent), *submissions], self._key.address)
        return None

    async def _submit_elsewhere(self, endpoint: Endpoint, signed: Signed) -> list[Submission]:
        datas = [*self._signer.unsettled_before(signed), signed.data]
        return await submit(self._client, datas, self._client.endpoints.others(endpoint), self._patience_s)

    def _patience_with(self, endpoint: Endpoint) -> float | None:
        """How long powerd waits for this endpoint before it asks others; None where there is no other."""
        return self._patience_s if self._client.endpoints.others(endpoint) else None

    # -- what became of it -------------------------------------------------------------------------

    async def _follow(
        self, endpoint: Endpoint, connection: RpcConnection, watch: Subscription | None, signed: Signed
    ) -> Inclusion:
        try:
            async with timeout(self._patience_with(endpoint)):
                watching = self._search(signed) if watch is None else self._watch(connection, watch, signed)
                inclusion = await watching
        except TimeoutError:
            self._client.endpoints.did_not_deliver(
                endpoint, f"brought no {signed.call} into a block within {self._patience_s:g} s"
            )
            await self._submit_elsewhere(endpoint, signed)
        except _GivenUp as given_up:
            if not taken(await self._submit_elsewhere(endpoint, signed)):
                _end(signed, given_up.status)
            else:
                self._client.endpoints.did_not_deliver(endpoint, f"gave {signed.call} up: {given_up.status}")
        else:
            if inclusion is not None:
                endpoint.succeeded(Kind.WRITES)
                return inclusion
            await self._submit_elsewhere(endpoint, signed)
        return await self._search(signed)

    async def _watch(self, connection: RpcConnection, watch: Subscription, signed: Signed) -> Inclusion | None:
        """Follow the node's updates until the inclusion. None when no more come; `_GivenUp` when the node gave up."""
        try:
            while True:
                status, detail = _status(await watch.next())
                if status in IN_BLOCK:
                    inclusion = await outcome_in(self._client, connection, str(detail), signed)
                    if inclusion is not None:
                        return inclusion
                elif status in FINAL_STATUSES:
                    return await self._after_final_status(signed, status)
                # Other statuses: future, ready, broadcast, retracted (by a fork; it may be included again).
        except (ChainUnavailable, RpcRefused, WrongChain):
            return None
        finally:
            connection.unsubscribe(watch)

    async def _after_final_status(self, signed: Signed, status: str) -> Inclusion:
        found = await self._client.ask(lambda c: search(self._client, c, signed))
        if found.inclusion is not None:
            return found.inclusion
        if found.expired:
            raise ExtrinsicRefused(signed.call, "expired")
        raise _GivenUp(status)

    async def _search(self, signed: Signed) -> Inclusion:
        """Search new blocks until it is found, or its era is over. Never returns otherwise."""
        pause_s = SEARCH_PAUSE_S_MIN
        while True:
            try:
                found = await self._client.ask(lambda c: search(self._client, c, signed))
            except (ChainUnavailable, WrongChain):
                found = None  # the caller's deadline ends this loop
            if found is not None and found.inclusion is not None:
                return found.inclusion
            if found is not None and found.expired:
                raise ExtrinsicRefused(signed.call, "expired")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, SEARCH_PAUSE_S_MAX)


async def _submit_and_watch(connection: RpcConnection, signed: Signed) -> Subscription | None:
    """Submit, by the method that the node has: one of the two may be switched off. Raises as `subscribe`."""
    try:
        return await connection.subscribe("author_submitAndWatchExtrinsic", signed.data, end="author_unwatchExtrinsic")
    except RpcRefused as error:
        if error.code != METHOD_NOT_FOUND:
            raise
    await connection.call("author_submitExtrinsic", signed.data)
    return None


def _end(signed: Signed, status: str) -> None:
    """Raise the result, since no other endpoint takes it. Return if a block may still have it."""
    if status in ("invalid", "usurped"):
        raise ExtrinsicRefused(signed.call, status)
    if status == "dropped":
        # This pool was full; another node may have it, and include it.
        raise ExtrinsicUncertain(f"{signed.call} was dropped by the pool; other nodes may still include it")


def _status(update: Any) -> tuple[str, Any]:
    """Read ``"ready"`` or ``{"inBlock": "0x…"}``: the status and its detail."""
    if isinstance(update, dict) and update:
        return next(iter(update.items()))
    return str(update), None
