"""Defects in uptime reports, and in what the operator sees of failures."""

from __future__ import annotations

from typing import Any

from app.domain.events import UptimeSkipped
from app.domain.services.node_services import NodeServices
from app.entrypoints.wiring.node_services import Ports
from tests.simulation.defects.defect import Defect, plant


def _unhealthy_counts(services: NodeServices, ports: Ports) -> None:
    uptime: Any = services.uptime
    until_next = uptime._until_next
    interval_s = uptime._policy.interval_s
    plant(uptime, "_until_next", lambda result: interval_s if isinstance(result, UptimeSkipped) else until_next(result))


def _pays_every_minute(services: NodeServices, ports: Ports) -> None:
    uptime: Any = services.uptime

    async def never_looks() -> None:
        """Whatever the clock says, a report goes."""

    async def a_minute(error: Exception) -> float:
        return 60.0

    plant(uptime._clock_watch, "check", never_looks)
    plant(uptime, "_after_failure", a_minute)


def _loses_uptime_in_silence(services: NodeServices, ports: Ports) -> None:
    uptime: Any = services.uptime
    plant(uptime, "_look_at_silence", lambda: None)


def _is_wrong_in_silence(services: NodeServices, ports: Ports) -> None:
    own: Any = services.server.own
    plant(own.loop._retry, "still_failing", lambda reason: None)


UPTIME: dict[str, Defect] = {
    "unhealthy counts as reported": Defect("a skipped report counts as sent", services=_unhealthy_counts),
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
}
