"""Defects in how sleeping nodes are woken."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.domain.backoff import Backoff
from app.domain.model import NodeId, NodePower, Power, Unreadable
from app.domain.rules.wake import Due, Event, Input, Look
from app.domain.services.node_services import NodeServices
from app.entrypoints.wiring.node_services import Ports
from app.entrypoints.wiring.policies import Policies
from tests.simulation.defects.defect import NEVER_S, Defect, plant


def _serial_wakes(services: NodeServices, ports: Ports) -> None:
    bursts: Any = services.wakes.bursts
    send = bursts._send
    turn = asyncio.Lock()

    async def one_by_one(together: Sequence[Any]) -> None:
        async with turn:
            for burst in together[1:]:
                bursts._in_flight += 1
                await send([burst])
            await send(together[:1])

    plant(bursts, "_send", one_by_one)


def _wakes_once(policies: Policies) -> Policies:
    return dataclasses.replace(policies, wake=dataclasses.replace(policies.wake, retry=Backoff(NEVER_S, NEVER_S)))


def _all_at_once(policies: Policies) -> Policies:
    order = dataclasses.replace(policies.wake.order, first_wakers=0)
    return dataclasses.replace(policies, wake=dataclasses.replace(policies.wake, order=order))


def _takes(change: Callable[[Input], Input]) -> Callable[[NodeServices, Ports], None]:
    def changes(services: NodeServices, ports: Ports) -> None:
        wakes: Any = services.wakes
        take = wakes._take

        def takes_another(inputs: Mapping[NodeId, Input]) -> None:
            take({node: change(happened) for node, happened in inputs.items()})

        plant(wakes, "_take", takes_another)

    return changes


def _not_unwanted(happened: Input) -> Input:
    match happened:
        case Event(NodePower(target=Power.DOWN)):
            return Event(Unreadable("it was not looked at"))
        case Due(NodePower(target=Power.DOWN)):
            return Due(Unreadable("it was not looked at"), happened.asked_at_s)
        case _:
            return happened


def _gone(happened: Input) -> Input:
    return Look(None, happened.asked_at_s) if isinstance(happened, Due) else happened


WAKING: dict[str, Defect] = {
    "serial wakes": Defect("one wake after the other, 5 s each", services=_serial_wakes),
    "one burst and no more": Defect("a wake is never repeated", policies=_wakes_once),
    "all wake all": Defect("every node that is awake calls every sleeper", policies=_all_at_once),
    "calls what is wanted down": Defect("a target Down keeps no node from calling", services=_takes(_not_unwanted)),
    "gives up a sleeper": Defect("a wake ends at its first repetition", services=_takes(_gone)),
}
