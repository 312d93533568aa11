"""The wired services of the daemon, for the operator service, the simulator and tests, which read them."""

from __future__ import annotations

from app.domain.services.context.node_context import NodeContext
from app.domain.services.context.trigger import Trigger
from app.domain.services.own_power.observer import Observer
from app.domain.services.own_power.power_management import PowerManagement
from app.domain.services.own_power.shutdown import Shutdown
from app.domain.services.own_power.wake_proof import WakeProof
from app.domain.services.power_server import PowerServer
from app.domain.services.reporting.uptime import Uptime
from app.domain.services.waking.farm_directory import FarmDirectory
from app.domain.services.waking.wake_service import WakeService
from app.domain.values import value


@value
class NodeServices:
    """`PowerServer.start` runs all of them except the fault board."""

    context: NodeContext
    management: PowerManagement
    farm: FarmDirectory
    uptime: Uptime
    wakes: WakeService
    observer: Observer
    shutdown: Shutdown
    proof: WakeProof
    own_trigger: Trigger
    farm_trigger: Trigger
    server: PowerServer
