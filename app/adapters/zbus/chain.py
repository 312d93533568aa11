"""The port `Chain` behind Zero-OS' ``api-gateway``.

Theory of operation. The gateway serves the whole node with one worker. A call may take half a minute, and
calls wait for each other. So a read of one node goes at once, and a read of many makes at most `BULK_CALLS`
calls at a time, so that others come in between. The gateway says neither which block it read nor whether that
is final. The head's age is taken from the chain's time, which the gateway gives wrong by up to a quarter of an
hour (`chain_time`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, TypeVar

from app.adapters.zbus import neighbours
from app.adapters.zbus.chain_time import ChainTime, GatewayTime
from app.adapters.zbus.client import BrokenAnswer, CallFailed, CallRefused, NoAnswer, ZbusClient
from app.adapters.zbus.dialect import Dialect
from app.adapters.zbus.gateway_answers import node_power, node_record
from app.domain.errors import ChainUnavailable, ExtrinsicFailed, ExtrinsicUncertain, RetryableError
from app.domain.model import (
    FarmId,
    Head,
    HeadKind,
    Inclusion,
    Node,
    NodeId,
    NodePower,
    Power,
    PowerReading,
    PowerState,
    Unreadable,
    UptimeSample,
)
from app.ports.chain import UptimeSampler
from app.ports.clock import Clock

BULK_CALLS = 2
HINT_WINDOW_S = 60.0
"""The chain refuses a report whose time differs more from the block's (pallet_tfgrid)."""

NOT_FOUND = "object not found"
"""In the gateway's error for a node that the chain does not have (tfchain's Go client, ``ErrNotFound``)."""

Answer = TypeVar("Answer")


class ZbusChain:
    """`Chain` over zbus; a call to the gateway may take ``timeout_s``; ``on_answer`` gets the seconds of each read."""

    def __init__(
        self, client: ZbusClient, clock: Clock, *, timeout_s: float, on_answer: Callable[[float], object] | None = None
    ) -> None:
        self._client = client
        self._clock = clock
        self._on_answer = on_answer
        self._timeout_s = timeout_s
        self._bulk = asyncio.Semaphore(BULK_CALLS)
        self._chain_time = ChainTime()
        self._dialect = Dialect(client, timeout_s=timeout_s)

    @property
    def lacks_power(self) -> str:
        """Not empty on Zero-OS 4, after the gateway's first answer."""
        return self._dialect.lacks_power

    # -- reading -----------------------------------------------------------------------------------
    async def head(self, kind: HeadKind) -> Head | None:
        """A head with the chain's time only; None on Zero-OS 4."""
        if not await self._has_power():
            return None
        chain = await self._time()
        return Head(kind, None, "", chain.time_s, chain.uncertainty_s, chain.seen_s_max)

    async def powers(self, nodes: Collection[NodeId], kind: HeadKind) -> PowerReading:  # noqa: ARG002 - there is one
        """One call for each node. A node whose call fails is `Unreadable`, if another one succeeds."""
        answers = await self._each(nodes, self._power)
        powers = {node: Unreadable(str(a)) if isinstance(a, ChainUnavailable) else a for node, a in answers.items()}
        return PowerReading(None, powers)

    async def powers_at_heads(self, nodes: Collection[NodeId]) -> tuple[None, PowerReading]:
        """No finalized head: the gateway reads the best one only."""
        return None, await self.powers(nodes, HeadKind.BEST)

    async def power_in(self, node: NodeId, block: Inclusion) -> None:  # noqa: ARG002 - it can't be asked
        """Always None, since the gateway reads only the newest block."""
        return

    async def nodes(self, nodes: Collection[NodeId]) -> Mapping[NodeId, Node | Unreadable]:
        """One call for each node. A node whose call fails is `Unreadable`, if another one succeeds."""
        found: dict[NodeId, Node | Unreadable] = {}
        if not await self._has_power():
            return found
        for node, answer in (await self._each(nodes, self._record)).items():
            if answer is None:
                continue
            if isinstance(answer, ChainUnavailable):
                found[node] = Unreadable(f"the record of node {node} can't be read: {answer}")
            elif answer.id != node:
                found[node] = Unreadable(f"api-gateway returned the record of node {answer.id} for node {node}")
            else:
                found[node] = answer
        return found

    async def farm_nodes(self, farm: FarmId) -> tuple[NodeId, ...]:
        if not await self._has_power():
            return ()
        return tuple(sorted(NodeId(node) for node in await self._call(neighbours.GET_NODES, farm)))

    async def _power(self, node: NodeId) -> NodePower | Unreadable:
        try:
            if not await self._has_power():
                return NodePower(PowerState(Power.UP), Power.UP)
            return node_power(await self._call(neighbours.GET_POWER_TARGET, node))
        except _Broken as error:
            return Unreadable(str(error))

    async def _record(self, node: NodeId) -> Node | None:
        """The record; None if the chain has no such node, which is no failure."""
        try:
            return node_record(await self._call(neighbours.GET_NODE, node))
        except ChainUnavailable as error:
            if isinstance(error.__cause__, CallFailed) and NOT_FOUND in str(error):
                return None
            raise

    async def _each(
        self, nodes: Collection[NodeId], ask: Callable[[NodeId], Awaitable[Answer]]
    ) -> dict[NodeId, Answer | ChainUnavailable]:
        """The answers by node, in order. Raises only when every call failed."""
        if len(nodes) == 1:
            return {node: await ask(node) for node in nodes}

        async def one(node: NodeId) -> Answer | ChainUnavailable:
            async with self._bulk:
                try:
                    return await ask(node)
                except ChainUnavailable as error:
                    return error

        async with asyncio.TaskGroup() as group:
            tasks = {node: group.create_task(one(node), name=f"gateway: node {node}") for node in nodes}
        answers = {node: task.result() for node, task in tasks.items()}
        failures = [answer for answer in answers.values() if isinstance(answer, ChainUnavailable)]
        if failures and len(failures) == len(answers):
            raise failures[0]
        return answers

    async def _time(self) -> GatewayTime:
        asked_at_s = self._clock.monotonic()
        answer_ns = await self._call(neighbours.GET_TIME)
        return self._chain_time.read(answer_ns, asked_at_s=asked_at_s, now_s=self._clock.monotonic())

    async def _call(self, method: neighbours.RemoteMethod, *arguments: Any) -> Any:
        asked_at_s = self._clock.monotonic()
        try:
            answer = await self._client.call(method, *arguments, timeout_s=self._timeout_s)
        except BrokenAnswer as error:
            raise _Broken(str(error)) from error
        except CallRefused as error:
            self._dialect.refused(error)
            raise ChainUnavailable(str(error)) from error
        except RetryableError as error:
            raise ChainUnavailable(str(error)) from error
        if self._on_answer is not None:
            self._on_answer(self._clock.monotonic() - asked_at_s)
        return answer

    async def _has_power(self, *, ask_again: bool = False) -> bool:
        try:
            return await self._dialect.has_power(ask_again=ask_again)
        except RetryableError as error:
            raise ChainUnavailable(str(error)) from error

    # -- writing -----------------------------------------------------------------------------------
    async def set_power_state(self, power: Power) -> Inclusion:
        """One call; the gateway waits for the inclusion."""
        return _included(await self._submit(neighbours.SET_NODE_POWER_STATE, power is Power.UP))

    async def announce_power_state(self, power: Power) -> None:
        """Put the call on the gateway's list, and do not wait for its answer."""
        try:
            await self._client.post(neighbours.SET_NODE_POWER_STATE, power is Power.UP, timeout_s=self._timeout_s)
        except NoAnswer as error:
            raise ChainUnavailable(str(error)) from error

    async def report_uptime(self, sample: UptimeSampler) -> Inclusion:
        """Sample right before the call, and report.

        The gateway does not notice when the chain refuses a report for its time. So powerd judges by how long
        the call took, and by how far this machine's clock is from the chain's.
        """
        has_power = await self._has_power(ask_again=True)
        taken = sample()
        if not has_power:
            await self._submit(neighbours.UPDATE_NODE_UPTIME_4, taken.uptime_s, taken.taken_at_s)
            return Inclusion("", None)
        sampled_at_s = self._clock.monotonic()
        inclusion = _included(await self._submit(neighbours.UPDATE_NODE_UPTIME, taken.uptime_s, taken.taken_at_s))
        await self._check_time(taken, sampled_at_s, inclusion)
        return inclusion

    async def _check_time(self, taken: UptimeSample, sampled_at_s: float, inclusion: Inclusion) -> None:
        """Raise if the chain refused the report's time (`ExtrinsicFailed`), or may have (`ExtrinsicUncertain`).

        The block was made between the sample and the answer, and the chain's time was read between the answer
        and now. That gives two bounds for the difference between the block's time and the report's. Where the
        chain's time is vague or missing, this machine's clock is assumed to be right.
        """
        took_s = self._clock.monotonic() - sampled_at_s
        least_s, most_s = 0.0, took_s
        try:
            chain = await self._time()
        except ChainUnavailable:
            pass
        else:
            chain_most_s = chain.time_s - taken.taken_at_s
            chain_least_s = chain_most_s - chain.uncertainty_s - (self._clock.monotonic() - sampled_at_s)
            if chain_least_s > HINT_WINDOW_S or chain_most_s < -HINT_WINDOW_S:
                raise ExtrinsicFailed("report_uptime_v2", "InvalidTimestampHint", inclusion.block_hash)
            if not chain.uncertainty_s:
                least_s, most_s = chain_least_s, chain_most_s
        if least_s < -HINT_WINDOW_S or most_s > HINT_WINDOW_S:
            what = f"{neighbours.UPDATE_NODE_UPTIME} took {took_s:.0f} s"
            raise ExtrinsicUncertain(f"{what}: the chain may have refused its time, which it takes within ±60 s")

    async def _submit(self, method: neighbours.RemoteMethod, *arguments: Any) -> Any:
        """Call a method that writes. Once the gateway took the call, it may have reached the chain."""
        try:
            return await self._client.call(method, *arguments, timeout_s=self._timeout_s)
        except NoAnswer as error:
            if error.withdrawn:
                raise ChainUnavailable(str(error)) from error
            raise ExtrinsicUncertain(str(error)) from error
        except CallRefused as error:
            self._dialect.refused(error)
            raise ChainUnavailable(str(error)) from error
        except (CallFailed, BrokenAnswer) as error:
            raise ExtrinsicUncertain(str(error)) from error


def _included(block_hash: bytes) -> Inclusion:
    return Inclusion(f"0x{block_hash.hex()}", None)


class _Broken(ChainUnavailable):
    """The gateway's answer cannot be read."""
