"""Serves operators and other programs: the node's status, and a few requests (`Operator`)."""

from __future__ import annotations

import asyncio

from app.domain.errors import ChainUnavailable, FeePause, IdentityUnavailable, NodeNotKnown, NotWantedUp
from app.domain.events import UptimeReported, UptimeSkipped
from app.domain.minting.limits import BOOT_S_MAX
from app.domain.model import NodeId, NodePower
from app.domain.rules.paid import DownWindow
from app.domain.rules.power import wants_down
from app.domain.rules.wake import Wake
from app.domain.services.context.node_context import ServiceContext
from app.domain.services.context.progress import ITSELF
from app.domain.services.identification import Identification
from app.domain.services.node_services import NodeServices
from app.domain.status import DeadlineStatus, NodeStatus, UncreditedStatus, WakeStatus
from app.ports.host_facts import HostFacts
from app.ports.operator import Operator
from app.ports.telemetry import RecentEvents


class UnidentifiedOperator:
    """`Operator` until it is known which node this is."""

    def __init__(
        self, identification: Identification, context: ServiceContext, recent: RecentEvents, version: str
    ) -> None:
        self._identification = identification
        self._clock = context.clock
        self._recent = recent
        self._faults = context.faults
        self._version = version

    def status(self) -> NodeStatus:
        return NodeStatus(
            self._version,
            waiting_for=self._waiting_for,
            faults=self._faults.status(),
            events=self._recent.latest(),
            now_s=self._clock.now(),
        )

    async def reconcile(self) -> None:
        raise IdentityUnavailable(self._waiting_for)

    async def report_uptime(self) -> UptimeReported | UptimeSkipped:
        raise IdentityUnavailable(self._waiting_for)

    async def wake(self, node: NodeId) -> None:
        raise IdentityUnavailable(f"node {node} can't be woken yet: {self._waiting_for}")

    @property
    def _waiting_for(self) -> str:
        return self._identification.waiting_for or "looking up this node's ids"


class CurrentOperator:
    """`Operator` for the whole life of the daemon: ``operator`` is replaced once the node is known."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator

    def status(self) -> NodeStatus:
        return self.operator.status()

    def headline(self) -> str:
        """What the daemon is doing now, in one line."""
        return self.operator.status().headline

    async def reconcile(self) -> None:
        await self.operator.reconcile()

    async def report_uptime(self) -> UptimeReported | UptimeSkipped:
        return await self.operator.report_uptime()

    async def wake(self, node: NodeId) -> None:
        await self.operator.wake(node)


class OperatorService:
    """`Operator` of the running daemon."""

    def __init__(
        self,
        services: NodeServices,
        facts: HostFacts,
        recent: RecentEvents,
        version: str,
    ) -> None:
        self._identity = services.context.node
        self._clock = services.context.clock
        self._services = services
        self._facts = facts
        self._recent = recent
        self._version = version
        self._reporting = asyncio.Lock()

    def status(self) -> NodeStatus:
        """Answers from memory, without a read of the chain."""
        services, own = self._services, self._services.server.own
        seen = services.observer.last
        power = None if seen is None else seen.best.power
        last = services.uptime.last
        return NodeStatus(
            self._version,
            identity=self._identity,
            not_enabled=services.management.objection,
            power=power if isinstance(power, NodePower) else None,
            head=None if seen is None else seen.best.head,
            looked_at_s=None if seen is None else seen.now_s,
            staying_up=services.server.staying_up,
            guard=None if own.objection is None else own.objection.guard,
            shutdown_step=services.shutdown.step,
            proved_wake_at_s=services.proof.proved_at_s,
            uncredited=_uncredited(own.window),
            holds=() if seen is None else seen.holds,
            last_uptime=None if last is None else last.sample,
            last_uptime_age_s=None if last is None else services.uptime.age_s,
            problems=self._facts.health().problems,
            wakes=tuple(self._wake(wake) for wake in services.wakes.wakes),
            faults=services.context.faults.status(),
            events=self._recent.latest(),
            deadlines=self._deadlines(),
            now_s=self._clock.now(),
        )

    def _wake(self, wake: Wake) -> WakeStatus:
        running_for_s = self._clock.monotonic() - wake.began_at_s
        boot_by_s = self._clock.now() - running_for_s + BOOT_S_MAX
        overdue = self._services.wakes.is_overdue(wake)
        return WakeStatus(wake.node, wake.reason, wake.bursts, running_for_s, overdue, boot_by_s)

    def _deadlines(self) -> DeadlineStatus:
        uptime, progress = self._services.uptime, self._services.context.progress
        return DeadlineStatus(self._at(progress.next_s(ITSELF)), self._at(uptime.next_s), self._at(uptime.gap_begins_s))

    def _at(self, monotonic_s: float | None) -> float | None:
        return None if monotonic_s is None else self._clock.now() - self._clock.monotonic() + monotonic_s

    async def reconcile(self) -> None:
        """Makes both loops look at the chain again."""
        self._services.own_trigger.pull("an operator's request")
        self._services.farm_trigger.pull("an operator's request")

    async def report_uptime(self) -> UptimeReported | UptimeSkipped:
        """Sends a report. A caller that asks while another caller's report is in flight gets that report."""
        uptime = self._services.uptime
        before = uptime.last
        async with self._reporting:
            if uptime.last is not before and uptime.last is not None:
                return uptime.last
            if paused := uptime.paused:
                raise FeePause(paused)
            return await uptime.send_now()

    async def wake(self, node: NodeId) -> None:
        """Wakes the node unless the chain says that its target is Down; a chain that can't be read prevents no wake."""
        if node not in await self._services.farm.among([node]):
            raise NodeNotKnown(f"node {node} is not another node of farm {self._identity.farm}")
        try:
            powers = await self._services.farm.powers([node])
        except ChainUnavailable:
            powers = {}
        if node in powers and wants_down(powers[node]):
            raise NotWantedUp(f"the target of node {node} is Down; set it to Up first (powerd farm up {node})")
        self._services.server.power_up(node, "an operator's request")


def _uncredited(window: DownWindow | None) -> UncreditedStatus | None:
    if window is None:
        return None
    return UncreditedStatus(window.opened_at_s, window.requested_at_s, window.boot_by_s, window.report_by_s)
