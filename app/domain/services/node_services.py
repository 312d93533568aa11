"""The daemon's services, wired, for those that look at them: the operator's desk, the simulator and tests."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.services.farm_directory import FarmDirectory
from app.domain.services.node_context import NodeContext
from app.domain.services.observer import Observer
from app.domain.services.power_management import PowerManagement
from app.domain.services.power_server import PowerServer
from app.domain.services.shutdown import Shutdown
from app.domain.services.trigger import Trigger
from app.domain.services.uptime import Uptime
from app.domain.services.wake import WakeService


@dataclass(frozen=True, slots=True)
class NodeServices:
    """`PowerServer.start` runs them all but the fault board."""

    context: NodeContext
    management: PowerManagement
    farm: FarmDirectory
    uptime: Uptime
    wakes: WakeService
    observer: Observer
    shutdown: Shutdown
    own_trigger: Trigger
    farm_trigger: Trigger
    server: PowerServer
