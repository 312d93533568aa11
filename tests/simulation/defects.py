"""Defects of the reference (the Go program), planted into our daemon one at a time: can the simulator find them?

Each wraps `assemble`, and changes the services it made, or a port before they are made.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from app.domain.backoff import Backoff
from app.domain.commands import LookAgain
from app.domain.errors import EventsUnavailable, NicUnusable
from app.domain.events import Delivery, Malformed, UptimeSkipped
from app.domain.model import HeadKind, NodeId, NodeIdentity, NodePower, Power, PowerReading, PowerState, Unreadable
from app.domain.rules.power import Observation
from app.domain.services.context.fault_board import FaultBoard
from app.domain.services.context.reconciler import ReconcilePolicy
from app.domain.services.node_services import NodeServices
from app.entrypoints.simulator.experiments.explore import HOURS, explored_plan
from app.entrypoints.simulator.plan.farmer_policies import Bot, FarmerPolicy, NodeView, policy_of
from app.entrypoints.simulator.plan.plan import Plan, PolicyPlan
from app.entrypoints.simulator.run.outcome import Outcome
from app.entrypoints.simulator.run.run import run
from app.entrypoints.wiring.node_services import Ports, assemble
from app.entrypoints.wiring.policies import Policies

NEVER_S = 1e9


@dataclass(frozen=True, slots=True)
class Defect:
    """``plant`` is called for every daemon that starts; ``text`` says what the reference does."""

    text: str
    ports: Callable[[Ports], Ports] = lambda ports: ports
    policies: Callable[[Policies], Policies] = lambda policies: policies
    services: Callable[[NodeServices, Ports], None] = lambda services, ports: None
    policy: Callable[[PolicyPlan], FarmerPolicy] = policy_of
    hours: float = HOURS
    """How long a seed's world has to run so that the defect can show."""

    def run(self, seed: int) -> Outcome:
        """The seed's world, with the defect in every daemon, or in its farmers' bot."""
        return run(self.world(seed), build=self.build, policy=self.policy)

    def world(self, seed: int) -> Plan:
        """Faults come in its first hours only, however long it runs."""
        return replace(explored_plan(seed), hours=self.hours)

    def build(self, node: NodeIdentity, ports: Ports, policies: Policies, faults: FaultBoard) -> NodeServices:
        """The daemon with the defect."""
        services = assemble(node, self.ports(ports), self.policies(policies), faults)
        self.services(services, ports)
        return services


class Wrapped:
    """A port that answers as another does, but for what a subclass changes."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _chain(wrap: type[Wrapped]) -> Callable[[Ports], Ports]:
    return lambda ports: dataclasses.replace(ports, chain=wrap(ports.chain))


# -- events -----------------------------------------------------------------------------------------


class AcknowledgesFirst(Wrapped):
    async def receive(self) -> Sequence[Delivery]:
        batch: Sequence[Delivery] = await self._inner.receive()
        if batch:
            await self._inner.acknowledge(batch)
        return batch

    async def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Done already."""


def _believes_events(services: NodeServices, ports: Ports) -> None:
    handler: Any = services.server._handler
    handle = handler.handle

    async def believing(batch: Sequence[Delivery]) -> None:
        for delivery in batch:
            change = delivery.content
            if not isinstance(change, Malformed) and (change.node, change.target) == (handler._own, Power.DOWN):
                await ports.host_power.power_off()
        await handle(batch)

    handler.handle = believing


def _restarts_on_a_bad_event(services: NodeServices, ports: Ports) -> None:
    handler: Any = services.server._handler
    handle = handler.handle

    async def restarting(batch: Sequence[Delivery]) -> None:
        if any(isinstance(delivery.content, Malformed) for delivery in batch):
            await ports.events.acknowledge(batch)
            handler.inbox.done(batch)
            await ports.clock.sleep(60)
        else:
            await handle(batch)

    handler.handle = restarting


def _never_reconnects(services: NodeServices, ports: Ports) -> None:
    server: Any = services.server

    async def once() -> None:
        await ports.events.open()
        try:
            await server.recv()
        except EventsUnavailable:
            await asyncio.Event().wait()

    server.events = once


def _no_resync(policies: Policies) -> Policies:
    never = ReconcilePolicy(interval_s=NEVER_S)
    return dataclasses.replace(policies, reconcile=never, farm_reconcile=never)


def _resyncs_only_once(services: NodeServices, ports: Ports) -> None:
    """Not even after a reconnect."""
    for trigger in (services.own_trigger, services.farm_trigger):
        any_trigger: Any = trigger
        any_trigger.pull = _only_events(trigger.pull)


def _only_events(pull: Callable[[str], None]) -> Callable[[str], None]:
    return lambda reason: pull(reason) if reason == "event" else None


# -- the own power ----------------------------------------------------------------------------------


class NeitherIsDown(Wrapped):
    async def powers(self, nodes: Collection[NodeId], kind: HeadKind) -> PowerReading:
        reading: PowerReading = await self._inner.powers(nodes, kind)
        powers = {
            node: NodePower(PowerState(Power.UP), Power.DOWN) if isinstance(power, Unreadable) else power
            for node, power in reading.powers.items()
        }
        return PowerReading(reading.head, powers)


class BestIsGoodEnough(Wrapped):
    tells_finality = False


def _hung_report_blocks(services: NodeServices, ports: Ports) -> None:
    shutdown: Any = services.shutdown
    duties = shutdown._duties
    last_uptime = duties.report_uptime

    async def hanging(doing: str) -> None:
        if ports.chain.hang_uptime:  # type: ignore[attr-defined]  # the simulated chain has the switch
            await ports.clock.sleep(NEVER_S)
        await last_uptime(doing)

    duties.report_uptime = hanging


def _leaves_down(services: NodeServices, ports: Ports) -> None:
    shutdown: Any = services.shutdown
    own: Any = services.server.own

    async def gives_up(*_: object) -> None:
        """Nothing is taken back."""

    shutdown._abort = gives_up
    own._report_up = gives_up


def _never_reads_back(services: NodeServices, ports: Ports) -> None:
    management: Any = services.management
    management._arm = ports.nic.arm


def _insists_on_one_card(services: NodeServices, ports: Ports) -> None:
    server: Any = services.server
    start = server.start

    async def strict() -> None:
        try:
            await ports.nic.find()
        except NicUnusable as error:
            raise SystemError(str(error)) from error
        await start()

    server.start = strict


class NoHolds(Wrapped):
    async def active(self) -> tuple[()]:
        return ()


def _says_no_farewell(services: NodeServices, ports: Ports) -> None:
    shutdown: Any = services.shutdown

    async def nothing(doing: str) -> None:
        """No last report."""

    shutdown._duties.report_uptime = nothing


def _sets_no_alarm(services: NodeServices, ports: Ports) -> None:
    shutdown: Any = services.shutdown

    async def nothing() -> None:
        """No alarm."""

    shutdown._host._alarm.arm = nothing


def _guards_nobody(services: NodeServices, ports: Ports) -> None:
    observer: Any = services.observer

    async def nothing() -> str:
        return ""

    observer._guards.last_waker.objection = nothing


# -- waking and uptime ------------------------------------------------------------------------------


def _serial_wakes(services: NodeServices, ports: Ports) -> None:
    bursts: Any = services.wakes._bursts
    send = bursts._send
    turn = asyncio.Lock()

    async def one_by_one(together: Sequence[Any]) -> None:
        async with turn:
            for burst in together[1:]:
                bursts._in_flight += 1
                await send([burst])
            await send(together[:1])

    bursts._send = one_by_one


def _wakes_once(policies: Policies) -> Policies:
    return dataclasses.replace(policies, wake=dataclasses.replace(policies.wake, retry=Backoff(NEVER_S, NEVER_S)))


def _everybody_at_once(policies: Policies) -> Policies:
    turns = dataclasses.replace(policies.wake.turns, first=0)
    return dataclasses.replace(policies, wake=dataclasses.replace(policies.wake, turns=turns))


def _unhealthy_counts(services: NodeServices, ports: Ports) -> None:
    uptime: Any = services.uptime
    until_next = uptime._until_next
    interval_s = uptime._policy.interval_s
    uptime._until_next = lambda result: interval_s if isinstance(result, UptimeSkipped) else until_next(result)


def _pays_every_minute(services: NodeServices, ports: Ports) -> None:
    uptime: Any = services.uptime

    async def never_looks() -> None:
        """Whatever the clock says, a report goes."""

    async def a_minute(error: Exception, failures: int) -> float:
        return 60.0

    uptime._clock_watch.check = never_looks
    uptime._after_failure = a_minute


def _loses_uptime_in_silence(services: NodeServices, ports: Ports) -> None:
    uptime: Any = services.uptime
    uptime._look_at_silence = lambda: None


def _is_wrong_in_silence(services: NodeServices, ports: Ports) -> None:
    own: Any = services.server.own
    own.loop._trouble.failed = lambda doing, reason: None


# -- what a farmer is paid by (R13) -----------------------------------------------------------------


def _says_up_and_stays(services: NodeServices, ports: Ports) -> None:
    own: Any = services.server.own

    async def nothing(seen: Observation) -> LookAgain:
        return LookAgain.NEXT_ROUND

    own._aborted.look = nothing


def _reboots_without_looking(services: NodeServices, ports: Ports) -> None:
    shutdown: Any = services.shutdown
    abort = shutdown._abort

    async def rebooting(*why: object) -> None:
        said_down = shutdown._state._may_be_down
        await abort(*why)
        if said_down:
            await ports.host_power.reboot()

    shutdown._abort = rebooting


def _forty_minutes(policies: Policies) -> Policies:
    return dataclasses.replace(policies, uptime=dataclasses.replace(policies.uptime, interval_s=2400.0))


def _loses_a_report(services: NodeServices, ports: Ports) -> None:
    uptime: Any = services.uptime

    async def next_time(error: Exception, failures: int) -> float:
        interval_s: float = uptime._policy.interval_s
        return interval_s

    uptime._after_failure = next_time


class OversleepingBot(Bot):
    """Wakes for need, or when the 24 hours are just over."""

    def _is_due(self, node: NodeView, now_s: float) -> bool:
        return now_s - node.last_up_s > 24 * 3600 + 60


def _oversleeping(plan: PolicyPlan) -> FarmerPolicy:
    return OversleepingBot(replace(plan.bot, round_s=60.0)) if plan.kind == "bot" else policy_of(plan)


DEFECTS: dict[str, Defect] = {
    "acknowledges before handling": Defect(
        "events are acknowledged before they are handled",
        ports=lambda ports: dataclasses.replace(ports, events=AcknowledgesFirst(ports.events)),
    ),
    "powers off on a replayed old event": Defect("the event is believed, not the chain", services=_believes_events),
    "serial wakes": Defect("one wake after the other, 5 s each", services=_serial_wakes),
    "one bad event restarts the loop": Defect(
        "a malformed entry ends the loop, and what came with it is lost", services=_restarts_on_a_bad_event
    ),
    "neither flag means off": Defect(
        "an answer that is neither Up nor Down counts as Down", ports=_chain(NeitherIsDown)
    ),
    "no resync on a clock": Defect(
        "the chain is looked at after events only", policies=_no_resync, services=_resyncs_only_once
    ),
    "never reconnects": Defect("a broken connection to the bus is never made again", services=_never_reconnects),
    "unhealthy counts as reported": Defect("a skipped report counts as sent", services=_unhealthy_counts),
    "a hung report blocks the shutdown": Defect(
        "the last uptime report has no deadline, with Down already on chain", services=_hung_report_blocks
    ),
    "a failed shutdown leaves Down": Defect("a power-off that fails leaves Down on chain", services=_leaves_down),
    "will not start without exactly one card": Defect(
        "without exactly one card the daemon ends", services=_insists_on_one_card
    ),
    "the best head is enough": Defect("a Down that is not final powers off", ports=_chain(BestIsGoodEnough)),
    "never reads the card back": Defect("a card that forgot its arming goes to sleep", services=_never_reads_back),
    "one burst and no more": Defect("a wake is never repeated", policies=_wakes_once),
    "says no farewell": Defect("no uptime report before the power-off", services=_says_no_farewell),
    "sets no alarm": Defect("the clock's alarm is wanted, and not armed", services=_sets_no_alarm),
    "guards none": Defect("the last node that could wake others goes to sleep", services=_guards_nobody),
    "all wake all": Defect("every node that is awake calls every sleeper", policies=_everybody_at_once),
    "pays every minute": Defect(
        "a report that fails at a fee is sent again every minute",
        services=_pays_every_minute,
    ),
    "loses uptime in silence": Defect(
        "failed reports are logged one by one, and never become a fault", services=_loses_uptime_in_silence
    ),
    "is wrong in silence": Defect(
        "failed looks and states are logged one by one, and never become a fault", services=_is_wrong_in_silence
    ),
    "ignores holds": Defect(
        "no hold keeps the machine up", ports=lambda ports: dataclasses.replace(ports, holds=NoHolds(ports.holds))
    ),
    "says Up and stays": Defect(
        "a target Up after Down is in a block is answered by the state Up alone", services=_says_up_and_stays
    ),
    "reboots without looking": Defect(
        "every shutdown that was aborted after Down ends in a reboot", services=_reboots_without_looking
    ),
    "a lost report in 40 minutes": Defect(
        "a report goes every 40 minutes, and one that is lost is not sent again",
        policies=_forty_minutes,
        services=_loses_a_report,
    ),
    "sleeps a day and a minute": Defect(
        "the farmer's bot wakes a sleeper after 24 h and a minute (worlds of 30 h)", policy=_oversleeping, hours=30.0
    ),
}
