"""The chain as Zero-OS' ``api-gateway`` lets its neighbours see it.

Theory of operation. One worker serves the whole node there, a call may take half a minute, and calls
queue up behind each other. So a read of one node goes at once, and a read of many at most
`BULK_CALLS` at a time, so that others come in between. The gateway tells neither which block it
read nor whether that is final; what it tells of the chain's time, which is wrong by up to a quarter of
an hour (`chain_time`), stands in for the head's age.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, TypeVar

from app.adapters.zbus import neighbours
from app.adapters.zbus.chain_time import ChainTime, ToldTime
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
"""The chain refuses a report whose time is further from the block's (pallet_tfgrid)."""

NOT_FOUND = "object not found"
"""What the gateway says of a node that the chain does not have (tfchain's Go client, ``ErrNotFound``)."""

Answer = TypeVar("Answer")


class ZbusChain:
    """`Chain` over zbus; a call to the gateway may take ``timeout_s``; ``on_answer`` gets the seconds of each read."""

    tells_finality = False

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
        """Zero-OS 4 has none; known once the gateway answered."""
        return self._dialect.lacks_power

    # -- reading -----------------------------------------------------------------------------------
    async def head(self, kind: HeadKind) -> Head | None:
        """The chain's time; the block itself is not known, and in Zero-OS 4 there is none."""
        if not await self._has_power():
            return None
        told = await self._time()
        return Head(kind, None, "", told.time_s, told.uncertainty_s, told.seen_s_max)

    async def powers(self, nodes: Collection[NodeId], kind: HeadKind) -> PowerReading:  # noqa: ARG002 - there is one
        """One call for each; a node whose call fails while others are answered is `Unreadable`."""
        answers = await self._each(nodes, self._power)
        powers = {node: Unreadable(str(a)) if isinstance(a, ChainUnavailable) else a for node, a in answers.items()}
        return PowerReading(None, powers)

    async def power_in(self, node: NodeId, block: Inclusion) -> None:  # noqa: ARG002 - it can't be asked
        """The gateway reads no block but the newest."""
        return

    async def nodes(self, nodes: Collection[NodeId]) -> Mapping[NodeId, Node | Unreadable]:
        """One call for each; a node whose call fails while others are answered is `Unreadable`."""
        found: dict[NodeId, Node | Unreadable] = {}
        if not await self._has_power():
            return found
        for node, answer in (await self._each(nodes, self._record)).items():
            if answer is None:
                continue
            if isinstance(answer, ChainUnavailable):
                found[node] = Unreadable(f"the record of node {node} can't be read: {answer}")
            elif answer.id != node:
                found[node] = Unreadable(f"api-gateway gave the record of node {answer.id} when asked for node {node}")
            else:
                found[node] = answer
        return found

    async def farm_nodes(self, farm: FarmId) -> tuple[NodeId, ...]:
        """Ascending."""
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
        """None: the chain has no such node, which is an answer and no failure."""
        try:
            return node_record(await self._call(neighbours.GET_NODE, node))
        except ChainUnavailable as error:
            if isinstance(error.__cause__, CallFailed) and NOT_FOUND in str(error):
                return None
            raise

    async def _each(
        self, nodes: Collection[NodeId], ask: Callable[[NodeId], Awaitable[Answer]]
    ) -> dict[NodeId, Answer | ChainUnavailable]:
        """Answers in order; raises only when there is not a single one."""
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

    async def _time(self) -> ToldTime:
        asked_at_s = self._clock.monotonic()
        answer_ns = await self._call(neighbours.GET_TIME)
        return self._chain_time.told(answer_ns, asked_at_s=asked_at_s, now_s=self._clock.monotonic())

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

    async def _has_power(self, *, anew: bool = False) -> bool:
        try:
            return await self._dialect.has_power(anew=anew)
        except RetryableError as error:
            raise ChainUnavailable(str(error)) from error

    # -- writing -----------------------------------------------------------------------------------
    async def set_power_state(self, power: Power) -> Inclusion:
        """The gateway waits until it is included."""
        return _included(await self._submit(neighbours.SET_NODE_POWER_STATE, power is Power.UP))

    async def announce_power_state(self, power: Power) -> None:
        """Left on the gateway's list."""
        try:
            await self._client.post(neighbours.SET_NODE_POWER_STATE, power is Power.UP, timeout_s=self._timeout_s)
        except NoAnswer as error:
            raise ChainUnavailable(str(error)) from error

    async def report_uptime(self, sample: UptimeSampler) -> Inclusion:
        """Sampled right before the call; the gateway does not notice when the chain refuses a stale one.

        So what decides is how long the call took, and how far this machine's clock is from the chain's.
        """
        has_power = await self._has_power(anew=True)
        taken = sample()
        if not has_power:
            await self._submit(neighbours.UPDATE_NODE_UPTIME_4, taken.uptime_s, taken.taken_at_s)
            return Inclusion("", None)
        sampled_at_s = self._clock.monotonic()
        inclusion = _included(await self._submit(neighbours.UPDATE_NODE_UPTIME, taken.uptime_s, taken.taken_at_s))
        await self._check_time(taken, sampled_at_s, inclusion)
        return inclusion

    async def _check_time(self, taken: UptimeSample, sampled_at_s: float, inclusion: Inclusion) -> None:
        """By how much the block's time differs from the report's lies between two bounds that are known.

        The block was made between the sample and the answer, and the chain's time read between the answer
        and now. A report is refused where no possible time fits. Where the time is vague, or not given at
        all, this machine's clock is taken to be right otherwise.
        """
        took_s = self._clock.monotonic() - sampled_at_s
        least_s, most_s = 0.0, took_s
        try:
            told = await self._time()
        except ChainUnavailable:
            pass
        else:
            told_most_s = told.time_s - taken.taken_at_s
            told_least_s = told_most_s - told.uncertainty_s - (self._clock.monotonic() - sampled_at_s)
            if told_least_s > HINT_WINDOW_S or told_most_s < -HINT_WINDOW_S:
                raise ExtrinsicFailed("report_uptime_v2", "InvalidTimestampHint", inclusion.block_hash)
            if not told.uncertainty_s:
                least_s, most_s = told_least_s, told_most_s
        if least_s < -HINT_WINDOW_S or most_s > HINT_WINDOW_S:
            what = f"{neighbours.UPDATE_NODE_UPTIME} took {took_s:.0f} s"
            raise ExtrinsicUncertain(f"{what}: the chain may have refused its time, which it takes within ±60 s")

    async def _submit(self, method: neighbours.RemoteMethod, *arguments: Any) -> Any:
        """What the gateway has seen may have reached the chain, whatever it answers."""
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
    """The gateway's answer is none."""
