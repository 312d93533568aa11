"""Reports the node's uptime: at boot, every 20 minutes, and right before powering off (R8, R13)."""

from __future__ import annotations

import asyncio

from app.domain.errors import ClockWrong, ExtrinsicFailed, PowerdError, UptimeStoodStill
from app.domain.events import OperationFailed, UptimeReported, UptimeSkipped
from app.domain.faults import FaultKind
from app.domain.model import UptimeSample
from app.domain.rules.invariants import check_sample
from app.domain.rules.uptime import GAP_S_MAX, UptimePolicy, reason_of, remedy_for, silence, stood_still_s
from app.domain.services.context.attempts import Attempts
from app.domain.services.context.node_context import NodeContext
from app.domain.services.context.progress import ITSELF, UPTIME
from app.domain.services.reporting.clock_watch import ClockWatch
from app.domain.services.reporting.fee_pace import FeePace
from app.ports.chain import ChainWriter
from app.ports.host_facts import HostFacts

SILENCE_FAULT = FaultKind.UPTIME.key()
HEALTH_FAULT = FaultKind.UNHEALTHY.key()
SAMPLES_APART_S = 1.0
"""Uptime is reported in whole seconds."""
HEALTH_REMEDY = "repair what these flags name, or remove their files (host_facts.flags_dir)"


class Uptime:
    """Takes a new sample for every attempt; one report is in flight at a time."""

    def __init__(
        self,
        context: NodeContext,
        chain: ChainWriter,
        facts: HostFacts,
        clock_watch: ClockWatch,
        pace: FeePace,
        policy: UptimePolicy,
    ) -> None:
        self._chain = chain
        self._facts = facts
        self._clock = context.clock
        self._clock_watch = clock_watch
        self._pace = pace
        self._progress = context.progress
        self._faults = context.faults
        self._telemetry = context.telemetry
        self._policy = policy
        self._attempts = Attempts(context.clock, context.jitter)
        self._in_flight = asyncio.Lock()
        self._sampled_at_s = self._clock.monotonic()
        self._sampled_once = False
        self._last_sample = UptimeSample(0, 0)
        self._reported_at_s = self._sampled_at_s
        self._fee_pause_s = 0.0
        self.next_s: float | None = None
        """When the next attempt begins (monotonic seconds); None during the first one."""
        self._problem = ("no attempt has ended yet", "")
        self.taken = 0
        """Reports that were included and succeeded."""
        self.last: UptimeReported | None = None
        """The last report that was included and succeeded."""
        self.reported_once = asyncio.Event()
        """Set by the first report that was included and succeeded."""
        self.answered_once = asyncio.Event()
        """Set by the first report, or when none will come soon: an unhealthy node, a wrong clock."""

    @property
    def age_s(self) -> float:
        """Seconds since the sample of the last report was taken, or since the start."""
        return self._clock.monotonic() - self._reported_at_s

    @property
    def paused(self) -> str:
        """Why powerd makes no report on demand now: the last one failed, and cost a fee (R15). Empty when it does."""
        reason = self._pace.paused
        return reason and f"the last uptime report cost a fee and failed; powerd waits before the next one: {reason}"

    @property
    def gap_begins_s(self) -> float | None:
        """When an unpaid gap begins unless a report is taken (monotonic seconds); None before the first report."""
        return None if self.last is None else self._reported_at_s + GAP_S_MAX

    async def run(self) -> None:
        """Report for ever, every ``interval_s`` after the last sample; report a fault when the chain takes none."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_silence(), name="uptime silence")
            group.create_task(self._report(), name="uptime reports")

    async def first_answer(self) -> None:
        """Wait for `answered_once`, for ``first_report_wait_s`` at most."""
        self._progress.made(ITSELF, waits_s=self._policy.first_report_wait_s)
        try:
            async with self._clock.timeout(self._policy.first_report_wait_s):
                await self.answered_once.wait()
        except TimeoutError:
            reason = f"none was taken within {self._policy.first_report_wait_s:.0f} s"
            self._telemetry.record(OperationFailed("the first uptime report", reason, 0.0))

    async def send_now(self) -> UptimeReported | UptimeSkipped:
        """Make one attempt with a new sample. An unhealthy node reports no uptime, and raises a fault.

        Raises the errors of `ChainWriter`, `ClockWrong`, and `TimeoutError` when the chain took too long.
        """
        try:
            async with self._clock.timeout(self._policy.report_s_max), self._in_flight:
                health = self._facts.health()
                if not health.good:
                    return self._skip(health.problems)
                self._faults.clear(HEALTH_FAULT)
                await self._clock_watch.check()
                self._check_growth()
                await self._another_second()
                inclusion = await self._chain.report_uptime(self._sample)
        except (PowerdError, TimeoutError) as error:
            self._fee_pause_s = self._pace.failed(error)
            self._not_taken(reason_of(error), remedy_for(error))
            raise
        return self._taken(UptimeReported(self._last_sample, inclusion))

    def _taken(self, report: UptimeReported) -> UptimeReported:
        self._clock_watch.right()
        self._pace.succeeded()
        self.reported_once.set()
        self.answered_once.set()
        self._telemetry.record(report)
        self.last = report
        self.taken += 1
        self._reported_at_s = self._sampled_at_s
        self._faults.clear(SILENCE_FAULT)
        return report

    async def _report(self) -> None:
        while True:
            self._progress.made(UPTIME, waits_s=self._policy.report_s_max)
            try:
                result = await self.send_now()
            except (PowerdError, TimeoutError) as error:
                wait_s = await self._after_failure(error)
            else:
                self._attempts.succeeded()
                wait_s = self._until_next(result)
            self.next_s = self._clock.monotonic() + wait_s
            self._progress.made(UPTIME, waits_s=wait_s)
            await self._clock.sleep(wait_s)

    def _check_growth(self) -> None:
        """Raise `UptimeStoodStill`, with a fault at once, rather than report what costs the month (R13)."""
        now = UptimeSample(self._facts.uptime_s(), int(self._clock.now()))
        if self.last is None or not (lack_s := stood_still_s(self.last.sample, now)):
            return
        error = UptimeStoodStill(
            f"this machine stood still for {lack_s:.0f} s (a virtual machine that was paused or moved), and its uptime "
            "lacks that time: the minting would take a report for a violation, which costs the month"
        )
        self._faults.report(SILENCE_FAULT, f"no uptime is reported, and none is paid: {error}; {remedy_for(error)}")
        raise error

    async def _another_second(self) -> None:
        """Two reports of the same second, the first of unknown fate, look like a reboot in no time: a violation."""
        if self._sampled_once:
            await self._clock.sleep(max(0.0, self._sampled_at_s + SAMPLES_APART_S - self._clock.monotonic()))
        self._sampled_once = True

    def _sample(self) -> UptimeSample:
        self._sampled_at_s = self._clock.monotonic()
        sample = UptimeSample(self._facts.uptime_s(), int(self._clock.now()))
        check_sample(self._last_sample, sample)
        self._last_sample = sample
        return sample

    def _skip(self, problems: tuple[str, ...]) -> UptimeSkipped:
        reason = f"uptime is not reported: {', '.join(problems)}"
        self._faults.report(HEALTH_FAULT, f"{reason}; {HEALTH_REMEDY}")
        self._not_taken(f"the node is not healthy ({', '.join(problems)})", HEALTH_REMEDY)
        self.answered_once.set()
        skipped = UptimeSkipped(problems)
        self._telemetry.record(skipped)
        return skipped

    def _until_next(self, result: UptimeReported | UptimeSkipped) -> float:
        if isinstance(result, UptimeSkipped):
            return self._policy.unhealthy_retry_s
        return max(0.0, self._sampled_at_s + self._policy.interval_s - self._clock.monotonic())

    async def _after_failure(self, error: Exception) -> float:
        """The pause in seconds. A wrong clock is checked often, which is free; the report follows when it is right."""
        wait_s = max(self._attempts.failed(self._policy.retry), self._fee_pause_s)
        try:
            if isinstance(error, ExtrinsicFailed) and error.error == ExtrinsicFailed.INVALID_TIME:
                await self._clock_watch.refused()
        except ClockWrong as wrong:
            error = wrong
        if isinstance(error, ClockWrong):
            self.answered_once.set()
        if isinstance(error, ClockWrong | UptimeStoodStill):
            wait_s = self._policy.unhealthy_retry_s
        self._telemetry.record(OperationFailed("reporting the uptime", reason_of(error), wait_s))
        return wait_s

    # -- silence -----------------------------------------------------------------------------------
    async def _watch_silence(self) -> None:
        """Attempts can be far apart, or hang; so a task of its own checks how long none has succeeded."""
        while True:
            due_s, _ = self._silence()
            await self._clock.sleep(max(due_s - self._clock.monotonic(), 0.0) or self._policy.first_silence_s)
            self._look_at_silence()

    def _not_taken(self, reason: str, remedy: str) -> None:
        self._problem = (reason, remedy)
        self._look_at_silence()

    def _look_at_silence(self) -> None:
        due_s, how_long = self._silence()
        if self._clock.monotonic() >= due_s:
            reason = "; ".join(filter(None, self._problem))
            lost = "none of that time is paid beyond 41 min" if self.last else "none of that time is paid"
            self._faults.report(SILENCE_FAULT, f"the chain has taken no uptime {how_long}, and {lost}: {reason}")

    def _silence(self) -> tuple[float, str]:
        return silence(self._reported_at_s, ever=self.last is not None, policy=self._policy)
