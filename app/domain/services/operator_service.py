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
from app.ports.telemetry import RecentEvents


class OperatorService:
    """`Operator` for the whole life of the daemon; ``services`` is None until it is known which node this is."""

    def __init__(
        self,
        identification: Identification,
        context: ServiceContext,
        facts: HostFacts,
        recent: RecentEvents,
        version: str,
    ) -> None:
        self._identification = identification
        self._clock = context.clock
        self._faults = context.faults
        self._facts = facts
        self._recent = recent
        self._version = version
        self._reporting = asyncio.Lock()
        self.services: NodeServices | None = None

    def headline(self) -> str:
        """What the daemon is doing now, in one line."""
        return self.status().headline

    def status(self) -> NodeStatus:
        """Answers from memory, without a read of the chain; holds are read again, since operators look for theirs."""
        faults, events, now_s = self._faults.status(), self._recent.latest(), self._clock.now()
        if (services := self.services) is None:
            return NodeStatus(self._version, waiting_for=self._waiting_for, faults=faults, events=events, now_s=now_s)
        own, seen, last = services.server.own, services.observer.last, services.uptime.last
        power = None if seen is None else seen.best.power
        return NodeStatus(
            self._version,
            identity=services.context.node,
            not_enabled=services.management.objection,
            power=power if isinstance(power, NodePower) else None,
            head=None if seen is None else seen.best.head,
            looked_at_s=None if seen is None else seen.now_s,
            staying_up=services.server.staying_up,
            guard=None if own.objection is None else own.objection.guard,
            shutdown_step=services.shutdown.step,
            proved_wake_at_s=services.proof.proved_at_s,
            uncredited=_uncredited(own.window),
            holds=tuple(services.observer.guards.holds.shown()),
            last_uptime=None if last is None else last.sample,
            last_uptime_age_s=None if last is None else services.uptime.age_s,
            problems=self._facts.health().problems,
            wakes=tuple(self._wake(wake, overdue=services.wakes.is_overdue(wake)) for wake in services.wakes.wakes),
            faults=faults,
            events=events,
            deadlines=self._deadlines(services),
            now_s=now_s,
        )

    @property
    def _waiting_for(self) -> str:
        return self._identification.waiting_for or "looking up this node's ids"

    @property
    def _node(self) -> NodeServices:
        """Raises `IdentityUnavailable` until it is known which node this is."""
        if self.services is None:
            raise IdentityUnavailable(self._waiting_for)
        return self.services

    def _wake(self, wake: Wake, *, overdue: bool) -> WakeStatus:
        running_for_s = self._clock.monotonic() - wake.began_at_s
        boot_by_s = self._clock.now() - running_for_s + BOOT_S_MAX
        return WakeStatus(wake.node, wake.reason, wake.bursts, running_for_s, overdue, boot_by_s)

    def _deadlines(self, services: NodeServices) -> DeadlineStatus:
        uptime, progress = services.uptime, services.context.progress
        return DeadlineStatus(self._at(progress.next_s(ITSELF)), self._at(uptime.next_s), self._at(uptime.gap_begins_s))

    def _at(self, monotonic_s: float | None) -> float | None:
        return None if monotonic_s is None else self._clock.now() - self._clock.monotonic() + monotonic_s

    async def reconcile(self) -> None:
        """Makes both loops look at the chain again."""
        for trigger in (self._node.own_trigger, self._node.farm_trigger):
            trigger.pull("an operator's request")

    async def report_uptime(self) -> UptimeReported | UptimeSkipped:
        """Sends a report. A caller that asks while another caller's report is in flight gets that report."""
        uptime = self._node.uptime
        before = uptime.last
        async with self._reporting:
            if uptime.last is not before and uptime.last is not None:
                return uptime.last
            if paused := uptime.paused:
                raise FeePause(paused)
            return await uptime.send_now()

    async def wake(self, node: NodeId) -> None:
        """Wakes the node unless the chain says that its target is Down; a chain that can't be read prevents no wake."""
        services = self._node
        if node not in await services.farm.among([node]):
            raise NodeNotKnown(f"node {node} is not another node of farm {services.context.node.farm}")
        try:
            powers = await services.farm.powers([node])
        except ChainUnavailable:
            powers = {}
        if node in powers and wants_down(powers[node]):
            raise NotWantedUp(f"the target of node {node} is Down; set it to Up first (powerd farm up {node})")
        services.server.power_up(node, "an operator's request")


def _uncredited(window: DownWindow | None) -> UncreditedStatus | None:
    if window is None:
        return None
    return UncreditedStatus(window.opened_at_s, window.requested_at_s, window.boot_by_s, window.report_by_s)
