"""Defects in how the node looks at its own power, and in its shutdown."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

from app.domain.errors import NicUnusable
from app.domain.model import HeadKind, NodeId, NodePower, Power, PowerReading, PowerState, Unreadable
from app.domain.services.node_services import NodeServices
from app.entrypoints.wiring.node_services import Ports
from tests.simulation.defects.defect import NEVER_S, Defect, Wrapped, chain_wrapped, plant


class NeitherIsDown(Wrapped):
    async def powers(self, nodes: Collection[NodeId], kind: HeadKind) -> PowerReading:
        return _down_if_unreadable(await self._inner.powers(nodes, kind))

    async def powers_at_heads(self, nodes: Collection[NodeId]) -> tuple[PowerReading, PowerReading]:
        finalized, best = await self._inner.powers_at_heads(nodes)
        return _down_if_unreadable(finalized), _down_if_unreadable(best)


def _down_if_unreadable(reading: PowerReading) -> PowerReading:
    powers = {
        node: NodePower(PowerState(Power.UP), Power.DOWN) if isinstance(power, Unreadable) else power
        for node, power in reading.powers.items()
    }
    return PowerReading(reading.head, powers)


class BestIsGoodEnough(Wrapped):
    async def powers_at_heads(self, nodes: Collection[NodeId]) -> tuple[None, PowerReading]:
        return None, await self._inner.powers(nodes, HeadKind.BEST)


def _hung_report_blocks(services: NodeServices, ports: Ports) -> None:
    shutdown: Any = services.shutdown
    duties = shutdown._duties
    last_uptime = duties.report_uptime

    async def hanging(doing: str) -> None:
        if ports.chain.hang_uptime:  # type: ignore[attr-defined]  # the simulated chain has the switch
            await ports.clock.sleep(NEVER_S)
        await last_uptime(doing)

    plant(duties, "report_uptime", hanging)


def _leaves_down(services: NodeServices, ports: Ports) -> None:
    shutdown: Any = services.shutdown
    own: Any = services.server.own

    async def gives_up(*_: object) -> None:
        """Nothing is taken back."""

    plant(shutdown, "_abort", gives_up)
    plant(own, "_report_up", gives_up)


def _never_reads_back(services: NodeServices, ports: Ports) -> None:
    management: Any = services.management
    plant(management, "_arm", ports.nic.arm)


def _ends_without_one_card(services: NodeServices, ports: Ports) -> None:
    server: Any = services.server
    start = server.start

    async def strict() -> None:
        try:
            await ports.nic.find()
        except NicUnusable as error:
            raise SystemError(str(error)) from error
        await start()

    plant(server, "start", strict)


class NoHolds(Wrapped):
    async def active(self) -> tuple[()]:
        return ()


def _sends_no_last_report(services: NodeServices, ports: Ports) -> None:
    shutdown: Any = services.shutdown

    async def nothing(doing: str) -> None:
        """No last report."""

    plant(shutdown._duties, "report_uptime", nothing)


def _sets_no_alarm(services: NodeServices, ports: Ports) -> None:
    shutdown: Any = services.shutdown

    async def nothing() -> None:
        """No alarm."""

    plant(shutdown._management.alarm, "arm", nothing)


def _guards_none(services: NodeServices, ports: Ports) -> None:
    observer: Any = services.observer

    async def nothing() -> str:
        return ""

    plant(observer.guards.last_waker, "objection", nothing)


OWN_POWER: dict[str, Defect] = {
    "neither flag means off": Defect(
        "an answer that is neither Up nor Down counts as Down", ports=chain_wrapped(NeitherIsDown)
    ),
    "a hung report blocks the shutdown": Defect(
        "the last uptime report has no deadline, with Down already on chain", services=_hung_report_blocks
    ),
    "a failed shutdown leaves Down": Defect("a power-off that fails leaves Down on chain", services=_leaves_down),
    "will not start without exactly one card": Defect(
        "without exactly one card the daemon ends", services=_ends_without_one_card
    ),
    "the best head is enough": Defect("a Down that is not final powers off", ports=chain_wrapped(BestIsGoodEnough)),
    "never reads the card back": Defect("a card that forgot its arming goes to sleep", services=_never_reads_back),
    "sends no last report": Defect("no uptime report before the power-off", services=_sends_no_last_report),
    "sets no alarm": Defect("the clock's alarm is wanted, and not armed", services=_sets_no_alarm),
    "guards none": Defect("the last node that could wake others goes to sleep", services=_guards_none),
    "ignores holds": Defect(
        "no hold keeps the machine up", ports=lambda ports: dataclasses.replace(ports, holds=NoHolds(ports.holds))
    ),
}
