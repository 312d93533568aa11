"""What the grid's minting credits each node of a run, and why other time is lost (docs/minting.md).

Only final blocks are judged, so a fork changes nothing. A run is judged in periods of the minting's
length, counted from its beginning; the last one ends with the run, as it stands then.
"""

from __future__ import annotations

from collections.abc import Callable, ItemsView

from msgspec import Struct

from app.adapters.simulated.ledger_blocks import Block, Event
from app.domain.minting.events import Initial, NodeUptimeReported, PowerStateChanged, PowerTargetChanged, TimedEvent
from app.domain.minting.limits import MINIMUM_SHARE, SLOW_BOOTS_MAX
from app.domain.minting.month import Booking, Loss, Month, Violation, beginning
from app.domain.minting.period import LENGTH_S, Period
from app.domain.minting.rules import so_far, step
from app.domain.model import NodeId, Power
from app.entrypoints.simulator.income.lost_to import Attribution, LostTo
from app.entrypoints.simulator.world.machine import Machine
from app.entrypoints.simulator.world.world import World


class Lost(Struct, frozen=True, kw_only=True):
    """Time of one node that was not credited, up to ``until_s`` (virtual seconds).

    0 seconds: a violation, which costs more than the time of the report.
    """

    node: int
    until_s: int
    seconds: int
    loss: Loss
    to: LostTo


class Income(Struct, kw_only=True):
    """The income of a whole run. ``months`` are node periods; the last one of a run may be short."""

    credited_s: dict[int, int]
    """Per node; where there are many, perhaps only the nodes that have the least."""
    lost: list[Lost]
    """Every loss; for many farms they may be left out."""
    slow_boots: int
    months: int
    months_lost: dict[int, str]
    """Node → why: a violation, or too small a share."""
    node_s: int = 0
    """Node seconds that could have been paid."""
    paid_s: int = 0
    """Node seconds that are paid: credited, in months that are not lost."""
    credited_in_all_s: int = 0
    lost_to_s: dict[str, int] = {}
    """Seconds of all nodes, by the value of `LostTo`."""

    def lost_money(self, per_node_and_month: float) -> float:
        """For the whole run: all of a lost month, and of the others the share that was not credited."""
        full = per_node_and_month * self.node_s / LENGTH_S
        return full - per_node_and_month * self.paid_s / LENGTH_S

    def lost_s(self, to: LostTo) -> int:
        """Seconds of all nodes."""
        return self.lost_to_s.get(to.value, 0)

    @property
    def lost_otherwise_s(self) -> int:
        """Of all nodes: what was not credited in bits too short for a reason, as before a first report."""
        return max(0, self.node_s - self.credited_in_all_s - sum(self.lost_to_s.values()))


class Minted:
    """Follows the chain's final blocks."""

    def __init__(self, world: World, lost: Callable[[Machine, Lost], None]) -> None:
        self._world = world
        self._start_s = int(world.clock.now())
        self._months: dict[NodeId, Month] = {}
        self._pending: dict[int, Block] = {}
        self._periods = _periods(self._start_s, self._start_s + int(world.plan.end_s))
        self._current = 0
        self._report_lost = lost
        self._attribution = Attribution(world, self._start_s)
        self.income = Income(credited_s={}, lost=[], slow_boots=0, months=0, months_lost={})
        period = self._period
        for node, machine in world.machines.items():
            asleep, target = machine.plan.asleep, Power(machine.plan.first_target)
            state = Power.DOWN if asleep else Power.UP
            initial = Initial(node, state, target, since_s=self._start_s if asleep else None)
            self._months[node] = beginning(node, period, initial)

    @property
    def _period(self) -> Period:
        return self._periods[self._current]

    def months(self) -> ItemsView[NodeId, Month]:
        return self._months.items()

    def window_since_s(self, month: Month) -> float | None:
        """When (virtual seconds) the month's open down window was opened; None while none is open."""
        return None if month.window_s is None else month.window_s - self._start_s

    def block_made(self, block: Block) -> None:
        """Judge the blocks that became final; a fork can replace a block, or leave its number without events."""
        pending = self._pending
        pending.pop(block.number, None)
        if block.events:
            pending[block.number] = block
        if pending:
            final = self._world.ledger.finalized_number
            for number in sorted([number for number in pending if number <= final]):
                self._judge(pending.pop(number))

    def close(self) -> Income:
        """The run is over: blocks that are not final yet count as well."""
        for number in sorted(self._pending):
            self._judge(self._pending.pop(number))
        now_s = self._start_s + int(self._world.plan.end_s)
        for node, month in self._months.items():
            self._settle(node, month, self._period, now_s)
        return self.income

    def _judge(self, block: Block) -> None:
        time_s = block.time_ms // 1000
        while time_s > self._period.end_s and self._current + 1 < len(self._periods):
            self._turn()
        for event in block.events:
            seen = _seen(event, time_s)
            if seen is not None and seen.node in self._months:
                before = self._months[seen.node]
                month, booking = step(before, seen, self._period)
                self._months[seen.node] = month
                self._book(seen.node, before, booking)
                self._look_at_violation(before, month, booking)
                if month.request_s is not None and before.request_s is None:
                    self._attribution.requested(seen.node, self._months)

    def _turn(self) -> None:
        """A period ends. What can still come in time counts as in time: the run does not wait for the 27 h after it."""
        ended = self._period
        self._current += 1
        for node, month in self._months.items():
            self._settle(node, month, ended, ended.end_s)
            down = month.state is Power.DOWN
            since_s = month.window_s if month.window_s is not None else ended.end_s
            initial = Initial(node, month.state, month.target, since_s if down else None)
            self._months[node] = beginning(node, self._period, initial)

    def _settle(self, node: NodeId, month: Month, period: Period, now_s: int) -> None:
        before = month
        month, booking = so_far(month, now_s, period)
        self._book(node, before, booking)
        income = self.income
        income.credited_s[node] = income.credited_s.get(node, 0) + month.credited_s
        income.credited_in_all_s += month.credited_s
        income.slow_boots += month.slow_boots
        income.months += 1
        income.node_s += period.length_s
        if reason := _why_lost(month, period):
            income.months_lost[node] = reason
        else:
            income.paid_s += month.credited_s

    def _book(self, node: NodeId, before: Month, booking: Booking | None) -> None:
        if booking is not None and booking.loss is not None:
            self._lose(node, before, booking.loss, booking.until_s, booking.lost_s)

    def _look_at_violation(self, before: Month, month: Month, booking: Booking | None) -> None:
        """A violation that costs no second (a clock that moved) still costs the month."""
        if month.violated_at_s is None or before.violated_at_s is not None:
            return
        if booking is None or booking.loss is None:
            self._lose(month.node, before, Loss.BAD_REPORT, month.violated_at_s, 0)

    def _lose(self, node: NodeId, before: Month, loss: Loss, until_unix_s: int, seconds: int) -> None:
        machine, until_s = self._world.machines[node], until_unix_s - self._start_s
        to = self._attribution.of(machine, before, loss, until_s - seconds, until_s)
        lost = Lost(node=node, until_s=until_s, seconds=seconds, loss=loss, to=to)
        self.income.lost.append(lost)
        self.income.lost_to_s[to.value] = self.income.lost_to_s.get(to.value, 0) + seconds
        self._report_lost(machine, lost)


def _why_lost(month: Month, period: Period) -> str:
    if month.violation is not None:
        return month.violation.value
    if month.slow_boots > SLOW_BOOTS_MAX:
        return Violation.BOOT_REQUEST_EXPIRED.value
    share = month.share(period)
    return f"{share:.1%} credited" if share < MINIMUM_SHARE else ""


def _periods(start_s: int, end_s: int) -> list[Period]:
    starts = range(start_s, max(end_s, start_s + 1), LENGTH_S)
    return [Period(start, max(start + 1, min(start + LENGTH_S, end_s))) for start in starts]


def _seen(event: Event, time_s: int) -> TimedEvent | None:
    if event.name == "NodeUptimeReported":
        node, at_s, uptime_s = event.attributes
        return NodeUptimeReported(at_s, NodeId(node), uptime_s)
    if event.name == "PowerTargetChanged":
        return PowerTargetChanged(time_s, NodeId(event.attributes["node_id"]), Power(event.attributes["power_target"]))
    if event.name == "PowerStateChanged":
        up = event.attributes["power_state"] == "Up"
        return PowerStateChanged(time_s, NodeId(event.attributes["node_id"]), Power.UP if up else Power.DOWN)
    return None
