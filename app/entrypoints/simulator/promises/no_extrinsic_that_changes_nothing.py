"""No node says on chain what the chain says already."""

from __future__ import annotations

from app.adapters.simulated.ledger_blocks import Block
from app.adapters.simulated.pallet import StoredPower
from app.entrypoints.simulator.watching.promise import Promise

UNCERTAIN = (
    "reorganisation",
    "extrinsics-lost",
    "sight-lost",
    "chain-away",
    "chain-flaky",
    "chain-stalls",
    "chain-slow",
    "daemon-killed",
    "power-cut",
    "crash",
)
"""After these an extrinsic of unknown fate may be under way; then the next one is sent without comparing
(docs/adr/0003-uncertain-extrinsics-are-outbid.md)."""

UNCERTAIN_S = 900.0


class NoExtrinsicThatChangesNothing(Promise):
    """Compares every ``change_power_state`` with the state that the chain had before."""

    text = "no extrinsic that changes nothing"

    def block_made(self, block: Block) -> None:
        said: dict[int, bool] = {}
        for extrinsic in block.extrinsics:
            machine = self.world.accounts.get(extrinsic.account)
            if machine is None or extrinsic.call != "change_power_state":
                continue
            node = machine.identity.node
            power: StoredPower = self.world.ledger.read("NodePower", node, block.number - 1, StoredPower())
            was_up = said.get(node, power.down_since is None)
            said[node] = is_up = extrinsic.arguments["power_state"] == "Up"
            if was_up is is_up and not machine.fault_history.lately(UNCERTAIN, UNCERTAIN_S):
                self.broken(machine, f"said {'Up' if is_up else 'Down'}, which stood there already")
