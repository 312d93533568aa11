"""Reports the node's uptime: at boot, every 40 minutes, and right before powering off (R8)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from app.domain.backoff import Backoff, Jitter
from app.domain.errors import ExtrinsicFailed, PowerdError
from app.domain.events import Setback, UptimeReported, UptimeSkipped
from app.domain.model import HeadKind, UptimeSample
from app.domain.services.fault_board import FaultBoard
from app.ports.chain import Chain
from app.ports.clock import Clock
from app.ports.host_facts import HostFacts
from app.ports.telemetry import Telemetry

DRIFT_FAULT = "clock-drift"
HEALTH_FAULT = "unhealthy"


@dataclass(frozen=True, slots=True)
class UptimePolicy:
    """Pace of the reports; seconds. The largest gap the grid accepts is about 41 minutes."""

    interval_s: float = 2400.0
    retry: Backoff = Backoff(5.0, 60.0)
    unhealthy_retry_s: float = 60.0
    report_s_max: float = 150.0


class Uptime:
    """Samples afresh for every attempt; one report is in flight at a time."""

    def __init__(
        self,
        chain: Chain,
        facts: HostFacts,
        clock: Clock,
        faults: FaultBoard,
        telemetry: Telemetry,
        policy: UptimePolicy,
        jitter: Jitter,
    ) -> None:
        self._chain = chain
        self._facts = facts
        self._clock = clock
        self._faults = faults
        self._telemetry = telemetry
        self._policy = policy
        self._jitter = jitter
        self._in_flight = asyncio.Lock()
        self._sampled_at_s = clock.monotonic()
        self._reported_at_s = self._sampled_at_s
        self.last: UptimeReported | None = None
        """The last report that was included and succeeded."""
        self.reported_once = asyncio.Event()
        """Set by the first report that was included and succeeded."""
        self.answered_once = asyncio.Event()
        """Set by the first report, or by finding the node unhealthy: nobody need wait for it."""

    @property
    def age_s(self) -> float:
        """Seconds since the sample of the last report was taken, or since the start."""
        return self._clock.monotonic() - self._reported_at_s

    async def run(self) -> None:
        """Report for ever, every ``interval_s`` counted from the last sample."""
        failures = 0
        while True:
            try:
                result = await self.send_now()
            except (PowerdError, TimeoutError) as error:
                failures += 1
                wait_s = await self._after_failure(error, failures)
            else:
                failures = 0
                wait_s = self._until_next(result)
            await self._clock.sleep(wait_s)

    async def send_now(self) -> UptimeReported | UptimeSkipped:
        """One attempt, with a fresh sample. A node that is not healthy reports nothing, and says so.

        Raises the errors of `ChainWriter`, and `TimeoutError` when the chain took too long.
        """
        async with self._clock.timeout(self._policy.report_s_max), self._in_flight:
            health = self._facts.health()
            if not health.good:
                return self._skip(health.problems)
            inclusion = await self._chain.report_uptime(self._sample)
        self._faults.clear(HEALTH_FAULT)
        self._faults.clear(DRIFT_FAULT)
        self.reported_once.set()
        self.answered_once.set()
        taken = UptimeReported(self._last_sample, inclusion)
        self._telemetry.happened(taken)
        self.last = taken
        self._reported_at_s = self._sampled_at_s
        return taken

    def _sample(self) -> UptimeSample:
        self._sampled_at_s = self._clock.monotonic()
        self._last_sample = UptimeSample(self._facts.uptime_s(), int(self._clock.now()))
        return self._last_sample

    def _skip(self, problems: tuple[str, ...]) -> UptimeSkipped:
        self._faults.report(HEALTH_FAULT, f"uptime is not reported: {', '.join(problems)}")
        self.answered_once.set()
        skipped = UptimeSkipped(problems)
        self._telemetry.happened(skipped)
        return skipped

    def _until_next(self, result: UptimeReported | UptimeSkipped) -> float:
        if isinstance(result, UptimeSkipped):
            return self._policy.unhealthy_retry_s
        return max(0.0, self._sampled_at_s + self._policy.interval_s - self._clock.monotonic())

    async def _after_failure(self, error: Exception, failures: int) -> float:
        wait_s = self._policy.retry.delay_s(failures, self._jitter)
        if isinstance(error, ExtrinsicFailed):
            # Included and refused: the same again at once would be a storm.
            wait_s = max(wait_s, self._policy.retry.delay_s_max)
            if error.error == "InvalidTimestampHint":
                await self._report_drift()
        reason = str(error) or "the chain took too long"
        self._telemetry.happened(Setback("reporting the uptime", reason, wait_s))
        return wait_s

    async def _report_drift(self) -> None:
        try:
            head = await self._chain.head(HeadKind.BEST)
        except PowerdError:
            head = None
        drift = "" if head is None else f" by {head.off_by_s(self._clock.now()):+.0f} s"
        self._faults.report(
            DRIFT_FAULT,
            f"this machine's clock differs{drift} from the chain's, which takes uptime within ±60 s only; "
            "see that it is synchronised (NTP)",
        )
