"""Checks of Zero-OS' daemons: each answers a read over zbus."""

from __future__ import annotations

from collections.abc import Sequence

from app.adapters.zbus import neighbours
from app.entrypoints.check.finding import Finding, failed, ok, warning
from app.entrypoints.check.subject import Subject


async def registrar(subject: Subject) -> Sequence[Finding]:
    return await _id(subject, neighbours.NODE_ID, "node")


async def identityd(subject: Subject) -> Sequence[Finding]:
    return await _id(subject, neighbours.FARM_ID, "farm")


async def gateway(subject: Subject) -> Sequence[Finding]:
    chain = subject.container.chain()
    await subject.head()
    if chain.lacks_power:
        return [warning(chain.lacks_power, "use Zero-OS 3 on a node that is to sleep")]
    return [ok("api-gateway answers")]


async def _id(subject: Subject, method: neighbours.RemoteMethod, what: str) -> Sequence[Finding]:
    daemon = method.remote.module
    number = await subject.container.zbus_client().call(method, timeout_s=subject.time_s)
    if not number:
        return [failed(f"{daemon} gave 0, which is no id of a {what}", f"wait until {daemon} has registered this node")]
    return [ok(f"{daemon} answers: {what} {number}")]
