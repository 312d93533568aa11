"""The node's duties before it powers off: to finish bursts in flight, and to report uptime a last time (R7, R8)."""

from __future__ import annotations

from app.domain.errors import PowerdError
from app.domain.events import OperationFailed
from app.domain.services.context.node_context import NodeContext
from app.domain.services.reporting.uptime import Uptime
from app.domain.services.waking.bursts import Bursts

REPORTS_BEFORE_DOWN = 2
"""Reports of this process. A fork can undo one; a node that was up for longer than 20 minutes has two."""


class LastDuties:
    """Each duty has a time limit, so that neither keeps the node awake for long."""

    def __init__(self, context: NodeContext, uptime: Uptime, bursts: Bursts, *, uptime_s: float) -> None:
        self._clock = context.clock
        self._telemetry = context.telemetry
        self._uptime = uptime
        self.bursts = bursts
        """The bursts in flight, which a power-off must not cut off (5 s)."""
        self._uptime_s = uptime_s

    async def close_last_window(self) -> None:
        """Report uptime before Down, unless this process has enough reports.

        The first report of a boot closes the window of the sleep before it, and a fork may have undone that report.
        If the report after Down closed the window, the new sleep would have none, and earn nothing (R13).
        """
        if self._uptime.taken < REPORTS_BEFORE_DOWN:
            await self.report_uptime("the uptime report before Down")

    async def report_uptime(self, doing: str) -> None:
        """Report uptime, with one retry; a chain that takes no report does not keep the node awake."""
        for _ in range(2):
            try:
                async with self._clock.timeout(self._uptime_s):
                    await self._uptime.send_now()
            except (PowerdError, TimeoutError) as error:
                reason = str(error) or f"no answer within {self._uptime_s:.0f} s"
                self._telemetry.record(OperationFailed(doing, reason, 0.0))
            else:
                return
