"""Submits one signed extrinsic to several endpoints, and judges their answers together.

The same bytes can go to any number of nodes, since the nonce lets the chain execute them only once. So
when one endpoint refuses, others are asked. A refusal of the extrinsic itself (a used nonce, a bad
signature, an empty account) is the same at every endpoint. A refusal for a reason of the endpoint (a full
pool, a method switched off, a limit on requests, a head that is behind) is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from app.adapters.substrate.client import SubstrateClient
from app.adapters.substrate.endpoint import Endpoint
from app.adapters.substrate.endpoints import ATTEMPTS
from app.adapters.substrate.refusals import is_own, is_refusal, is_there_already, reason_of
from app.adapters.substrate.rpc import RpcConnection
from app.adapters.substrate.rpc_errors import EndpointFailed, RpcRefused
from app.domain.errors import ChainUnavailable, ExtrinsicRefused, ExtrinsicUncertain, WrongChain
from app.domain.values import value

LINGER_S = 1.0
"""How long the others can still take it after the first one did: enough for a healthy node."""

Problem = RpcRefused | EndpointFailed | WrongChain


@value
class Submission:
    """The result at one endpoint. ``problem`` is None if it was taken; ``sent``: it may have arrived."""

    endpoint: Endpoint
    problem: Problem | None
    sent: bool

    @property
    def uncertain(self) -> bool:
        """Whether it is not known that it was taken or refused."""
        return self.sent and self.problem is not None and not isinstance(self.problem, RpcRefused)


def taken(submissions: Sequence[Submission]) -> bool:
    """Whether an endpoint took it into its pool."""
    return any(each.problem is None for each in submissions)


async def submit(
    client: SubstrateClient, datas: Sequence[str], endpoints: Sequence[Endpoint], wait_s: float
) -> list[Submission]:
    """Submit these extrinsics in order to `ATTEMPTS` of the endpoints at once. Results are those of the last one.

    It ends soon after one endpoint took it, and after ``wait_s`` at the latest. An endpoint that has not
    answered by then is not in the result.
    """
    tasks = [asyncio.ensure_future(_submit_at(client, datas, endpoint)) for endpoint in endpoints[:ATTEMPTS]]
    try:
        deadline_s = asyncio.get_running_loop().time() + wait_s
        pending = set(tasks)
        while pending:
            left_s = deadline_s - asyncio.get_running_loop().time()
            done, pending = await asyncio.wait(pending, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                break
            if any(task.result().problem is None for task in done):
                deadline_s = min(deadline_s, asyncio.get_running_loop().time() + LINGER_S)
        return [task.result() for task in tasks if task.done()]
    finally:
        await _end(tasks)


async def _end(tasks: Sequence[asyncio.Future[Any]]) -> None:
    pending = [task for task in tasks if not task.done()]
    for task in pending:
        task.cancel()
    if pending:
        await asyncio.wait(pending)


async def _submit_at(client: SubstrateClient, datas: Sequence[str], endpoint: Endpoint) -> Submission:
    sent = False
    try:
        async with client.endpoints.visit(endpoint) as connection:
            sent = True
            return Submission(endpoint, await submit_over(connection, datas), sent)
    except (EndpointFailed, WrongChain) as problem:
        return Submission(endpoint, problem, sent)


async def submit_over(connection: RpcConnection, datas: Sequence[str]) -> RpcRefused | None:
    """Submit to this node in order. Returns why the last one was refused, or None; raises `EndpointFailed`."""
    refusal: RpcRefused | None = None
    for data in datas:
        refusal = None
        try:
            await connection.call("author_submitExtrinsic", data)
        except RpcRefused as error:
            if not is_there_already(error):
                refusal = error
    return refusal


def verdict(call: str, submissions: Sequence[Submission], account: str) -> Exception:
    """The error, when no endpoint is known to have it: a refusal, if one of them refused the extrinsic itself."""
    refusals = [
        each.problem for each in submissions if isinstance(each.problem, RpcRefused) and is_refusal(each.problem)
    ]
    refusals.sort(key=is_own, reverse=True)
    uncertain = not submissions or any(each.uncertain for each in submissions)
    if refusals and (is_own(refusals[0]) or not uncertain):
        return ExtrinsicRefused(call, reason_of(refusals[0]), account)
    problems = "; ".join(f"{each.endpoint.name}: {each.problem}" for each in submissions) or "no answer in time"
    if uncertain:
        return ExtrinsicUncertain(f"{call} was sent, and it is not known whether it arrived: {problems}")
    return ChainUnavailable(f"no endpoint of the chain took {call}: {problems}")
