"""When each node's last uptime report was included: two promises are about that."""

from __future__ import annotations

from app.adapters.simulated.ledger_blocks import Block
from app.domain.model import NodeId
from app.entrypoints.simulator.watching.promise import Promise
from app.entrypoints.simulator.world.world import World


class UptimeReports(Promise):
    """Collects reports, for a promise that needs them."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.reported_s: dict[NodeId, float] = {}

    def block_made(self, block: Block) -> None:
        for event in block.events:
            if event.name == "NodeUptimeReported":
                self.reported_s[NodeId(event.attributes[0])] = self.world.now_s()
